"""Application Auto Scaling over a socket, on a server whose minutes are half seconds."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import LocalServer
from tests.local_sagemaker.api.test_endpoints import VARIANT, configure, make_model, wait_for

pytestmark = pytest.mark.e2e
NAME = "scaled"
TARGET = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": f"endpoint/{NAME}/variant/main",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}
METRIC = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}


def tracking(target: float, **more: Any) -> dict[str, Any]:
    """A policy, and its configuration."""
    configuration = {"TargetValue": target, "PredefinedMetricSpecification": METRIC, **more}
    return {
        **TARGET,
        "PolicyName": "invocations",
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": configuration,
    }


@pytest.fixture(scope="module")
def aws(fast: LocalServer) -> Any:
    return fast.client("sagemaker")


@pytest.fixture(scope="module")
def scaling(fast: LocalServer) -> Any:
    return fast.client("application-autoscaling")


@pytest.fixture(scope="module")
def model(fast: LocalServer, aws: Any) -> str:
    return make_model(aws, fast.client("s3"), "scaled")


@pytest.fixture(scope="module", autouse=True)
def endpoint(aws: Any, model: str) -> Iterator[str]:
    """One instance, on which every test of this module works."""
    aws.create_endpoint(EndpointName=NAME, EndpointConfigName=configure(aws, model))
    wait_for(lambda: aws.describe_endpoint(EndpointName=NAME)["EndpointStatus"] == "InService")
    yield NAME
    aws.delete_endpoint(EndpointName=NAME)


@pytest.fixture(autouse=True)
def unregistered(scaling: Any) -> Iterator[None]:
    yield
    if scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]:
        scaling.deregister_scalable_target(**TARGET)


def count(aws: Any) -> int:
    variant = aws.describe_endpoint(EndpointName=NAME)["ProductionVariants"][0]
    return int(variant["DesiredInstanceCount"])


def refused(call: Callable[..., Any], **request: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**request)
    return str(error.value.response["Error"]["Message"])


@pytest.mark.journey
def test_load_brings_instances_and_its_end_takes_them_away(fast: LocalServer, aws: Any, scaling: Any) -> None:
    scaling.register_scalable_target(**TARGET, MinCapacity=1, MaxCapacity=2)
    policy = scaling.put_scaling_policy(**tracking(3.0, ScaleOutCooldown=0, ScaleInCooldown=0))
    names = [each["AlarmName"] for each in policy["Alarms"]]
    described = fast.client("cloudwatch").describe_alarms(AlarmNames=names)["MetricAlarms"]
    high, low = sorted(described, key=lambda each: names.index(each["AlarmName"]))
    fields = ("Threshold", "EvaluationPeriods", "ComparisonOperator")
    assert [high[name] for name in fields] == [3.0, 3, "GreaterThanThreshold"]
    assert [low[name] for name in fields] == [2.7, 15, "LessThanThreshold"]
    assert high["MetricName"] == "InvocationsPerInstance"
    done, runtime = threading.Event(), fast.client("sagemaker-runtime")

    def ask() -> None:
        while not done.wait(0.02):
            runtime.invoke_endpoint(EndpointName=NAME, Body=b"x")

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        wait_for(lambda: count(aws) == 2)
    finally:
        done.set()
        thread.join()
    wait_for(lambda: count(aws) == 1)
    found = scaling.describe_scaling_activities(ServiceNamespace="sagemaker", ResourceId=TARGET["ResourceId"])
    activities = found["ScalingActivities"]
    assert [each["Description"][-2:] for each in activities] == ["1.", "2."]
    assert {each["StatusCode"] for each in activities} == {"Successful"}
    assert names[0] in activities[-1]["Cause"]


def test_a_count_outside_the_range_is_brought_into_it(aws: Any, scaling: Any) -> None:
    scaling.register_scalable_target(**TARGET, MinCapacity=2, MaxCapacity=3)
    wait_for(lambda: count(aws) == 2)
    scaling.register_scalable_target(**TARGET, MinCapacity=1, MaxCapacity=1)
    wait_for(lambda: count(aws) == 1)
    (target,) = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 1)


def test_a_target_keeps_what_a_later_request_leaves_out(scaling: Any) -> None:
    first = scaling.register_scalable_target(**TARGET, MinCapacity=1, MaxCapacity=3)
    second = scaling.register_scalable_target(**TARGET, SuspendedState={"DynamicScalingInSuspended": True})
    assert first["ScalableTargetARN"] == second["ScalableTargetARN"]
    (target,) = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert target["MaxCapacity"] == 3
    assert target["SuspendedState"] == {
        "DynamicScalingInSuspended": True,
        "DynamicScalingOutSuspended": False,
        "ScheduledScalingSuspended": False,
    }


def test_deregistering_takes_policy_and_alarms_along(fast: LocalServer, scaling: Any) -> None:
    scaling.register_scalable_target(**TARGET, MinCapacity=1, MaxCapacity=2)
    first = scaling.put_scaling_policy(**tracking(100.0))
    again = scaling.put_scaling_policy(**tracking(200.0))
    assert first["PolicyARN"] == again["PolicyARN"]
    (policy,) = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    assert policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 200.0
    names = [each["AlarmName"] for each in policy["Alarms"]]
    cloudwatch = fast.client("cloudwatch")
    assert len(cloudwatch.describe_alarms(AlarmNames=names)["MetricAlarms"]) == 2
    scaling.deregister_scalable_target(**TARGET)
    assert not cloudwatch.describe_alarms(AlarmNames=names)["MetricAlarms"]
    assert not scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    assert "No scalable target registered" in refused(scaling.deregister_scalable_target, **TARGET)


def test_a_scaled_variant_keeps_its_name_and_type_and_its_count_where_retained(
    aws: Any, scaling: Any, model: str
) -> None:
    scaling.register_scalable_target(**TARGET, MinCapacity=2, MaxCapacity=3)
    wait_for(lambda: count(aws) == 2)
    wait_for(lambda: aws.describe_endpoint(EndpointName=NAME)["EndpointStatus"] == "InService")
    other = configure(aws, model, ProductionVariants=[{**VARIANT, "VariantName": "other"}])
    larger = configure(aws, model, ProductionVariants=[{**VARIANT, "InstanceType": "ml.m5.xlarge"}])
    assert "cannot be removed" in refused(aws.update_endpoint, EndpointName=NAME, EndpointConfigName=other)
    assert "another instance type" in refused(aws.update_endpoint, EndpointName=NAME, EndpointConfigName=larger)
    same = configure(aws, model)
    aws.update_endpoint(EndpointName=NAME, EndpointConfigName=same, RetainAllVariantProperties=True)
    wait_for(lambda: aws.describe_endpoint(EndpointName=NAME)["EndpointConfigName"] == same)
    assert count(aws) == 2
    scaling.register_scalable_target(**TARGET, MinCapacity=1, MaxCapacity=1)
    wait_for(lambda: count(aws) == 1)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"ServiceNamespace": "ecs"}, "does not support the scaling of ecs"),
        ({"ScalableDimension": "sagemaker:variant:DesiredProvisionedConcurrency"}, "does not support the scalable dim"),
        ({"ResourceId": "scaled"}, "is not of the form endpoint/NAME/variant/NAME"),
        ({"ResourceId": "endpoint/scaled/variant/no"}, "Could not find the variant no of the endpoint scaled"),
        ({"MinCapacity": 0}, "1 <= MinCapacity <= MaxCapacity is needed; only asynchronous endpoints scale to 0"),
        ({"MaxCapacity": 1, "MinCapacity": 2}, "1 <= MinCapacity <= MaxCapacity"),
    ],
)
def test_a_target_that_cannot_be_is_refused(scaling: Any, changes: dict[str, Any], said: str) -> None:
    request = {**TARGET, "MinCapacity": 1, "MaxCapacity": 2, **changes}
    assert said in refused(scaling.register_scalable_target, **request)


def test_what_is_not_supported_is_refused_by_its_name(scaling: Any) -> None:
    put = scaling.put_scaling_policy
    assert "No scalable target registered" in refused(put, **tracking(5.0))
    scaling.register_scalable_target(**TARGET, MinCapacity=1, MaxCapacity=2)
    other = {"PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}}
    assert "tracking of ECSServiceAverageCPUUtilization" in refused(put, **tracking(5.0, **other))
    assert "TargetValue 0.0 must be above 0" in refused(put, **tracking(0.0))
    action = {**TARGET, "ScheduledActionName": "night", "Schedule": "cron(0 0 * * ? *)"}
    assert "does not support the operation PutScheduledAction" in refused(scaling.put_scheduled_action, **action)
