"""An asynchronous endpoint that has no instances while nothing waits, on a server whose minutes are half seconds."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import BUCKET, LocalServer
from tests.local_sagemaker.api.test_endpoints import configure, make_model

pytestmark = pytest.mark.e2e
NAME = "idle"
TARGET = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": f"endpoint/{NAME}/variant/main",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}
DIMENSIONS = [{"Name": "EndpointName", "Value": NAME}]
BACKLOG = {  # as the developer guide has it
    "TargetValue": 2.0,
    "CustomizedMetricSpecification": {
        "MetricName": "ApproximateBacklogSizePerInstance",
        "Namespace": "AWS/SageMaker",
        "Dimensions": DIMENSIONS,
        "Statistic": "Average",
    },
    "ScaleInCooldown": 0,
    "ScaleOutCooldown": 0,
}
FROM_ZERO = {
    "AdjustmentType": "ChangeInCapacity",
    "MetricAggregationType": "Average",
    "Cooldown": 0,
    "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}],
}


@pytest.fixture(scope="module")
def sagemaker(fast: LocalServer) -> Any:
    return fast.client("sagemaker")


@pytest.fixture(scope="module")
def scaling(fast: LocalServer, sagemaker: Any) -> Iterator[Any]:
    """The endpoint, which may have from 0 instances to 1, and the client of its scaling."""
    model = make_model(sagemaker, fast.client("s3"), NAME)
    config = {"OutputConfig": {"S3OutputPath": f"s3://{BUCKET}/idle/"}}
    name = configure(sagemaker, model, AsyncInferenceConfig=config)
    sagemaker.create_endpoint(EndpointName=NAME, EndpointConfigName=name)
    settled(sagemaker)
    client = fast.client("application-autoscaling")
    client.register_scalable_target(**TARGET, MinCapacity=0, MaxCapacity=1)
    yield client
    client.deregister_scalable_target(**TARGET)
    until(lambda: deleted(sagemaker))


def deleted(sagemaker: Any) -> bool:
    """Whether the endpoint could be deleted: not while it is just scaled."""
    try:
        sagemaker.delete_endpoint(EndpointName=NAME)
    except ClientError:
        return False
    return True


def until(condition: Any) -> Any:
    deadline = time.monotonic() + 120
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def settled(sagemaker: Any) -> dict[str, Any]:
    until(lambda: sagemaker.describe_endpoint(EndpointName=NAME)["EndpointStatus"] == "InService")
    found: dict[str, Any] = sagemaker.describe_endpoint(EndpointName=NAME)
    return found


def count(sagemaker: Any) -> int:
    return int(settled(sagemaker)["ProductionVariants"][0]["DesiredInstanceCount"])


def test_nothing_waits_and_there_is_no_instance_something_waits_and_there_is_one(
    fast: LocalServer, sagemaker: Any, scaling: Any
) -> None:
    tracking = {"PolicyType": "TargetTrackingScaling", "TargetTrackingScalingPolicyConfiguration": BACKLOG}
    scaling.put_scaling_policy(**TARGET, PolicyName="backlog", **tracking)
    steps = {"PolicyType": "StepScaling", "StepScalingPolicyConfiguration": FROM_ZERO}
    policy = scaling.put_scaling_policy(**TARGET, PolicyName="from-zero", **steps)
    cloudwatch = fast.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="waits-for-nobody",
        MetricName="HasBacklogWithoutCapacity",
        Namespace="AWS/SageMaker",
        Statistic="Average",
        EvaluationPeriods=2,
        DatapointsToAlarm=2,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="missing",
        Dimensions=DIMENSIONS,
        Period=60,
        AlarmActions=[policy["PolicyARN"]],
    )
    (described,) = scaling.describe_scaling_policies(ServiceNamespace="sagemaker", PolicyNames=["from-zero"])[
        "ScalingPolicies"
    ]
    assert [each["AlarmName"] for each in described["Alarms"]] == ["waits-for-nobody"]
    assert described["StepScalingPolicyConfiguration"] == FROM_ZERO
    until(lambda: count(sagemaker) == 0)
    assert settled(sagemaker)["ProductionVariants"][0]["CurrentInstanceCount"] == 0
    runtime, s3 = fast.client("sagemaker-runtime"), fast.client("s3")
    answer = runtime.invoke_endpoint_async(EndpointName=NAME, Body=b"x", ContentType="text/plain")
    key = answer["OutputLocation"].removeprefix(f"s3://{BUCKET}/")
    until(lambda: s3.list_objects_v2(Bucket=BUCKET, Prefix=key).get("Contents"))
    assert s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == b"idle x"
    activities = scaling.describe_scaling_activities(ServiceNamespace="sagemaker", ResourceId=TARGET["ResourceId"])
    causes = [(each["Description"][-2:], each["Cause"]) for each in reversed(activities["ScalingActivities"])]
    assert [number for number, _ in causes[:2]] == ["0.", "1."]
    assert causes[0][1].endswith("triggered policy backlog")
    assert causes[1][1] == "monitor alarm waits-for-nobody in state ALARM triggered policy from-zero"


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ({"PolicyType": "StepScaling"}, "needs StepScalingPolicyConfiguration"),
        ({"PolicyType": "StepScaling", "StepScalingPolicyConfiguration": {}}, "needs AdjustmentType"),
        ({"PolicyType": "PredictiveScaling"}, "does not support scaling policies of the type PredictiveScaling"),
        (
            {"PolicyType": "TargetTrackingScaling", "TargetTrackingScalingPolicyConfiguration": {"TargetValue": 1.0}},
            "needs either PredefinedMetricSpecification or CustomizedMetricSpecification",
        ),
        (
            {
                "PolicyType": "TargetTrackingScaling",
                "TargetTrackingScalingPolicyConfiguration": {
                    "TargetValue": 1.0,
                    "CustomizedMetricSpecification": {"MetricName": "ApproximateBacklogSize"},
                },
            },
            "CustomizedMetricSpecification needs Namespace and Statistic",
        ),
    ],
)
def test_a_policy_that_cannot_be_is_refused(scaling: Any, policy: dict[str, Any], said: str) -> None:
    with pytest.raises(ClientError, match=said):
        scaling.put_scaling_policy(**TARGET, PolicyName="no", **policy)


def test_two_policies_cannot_track_one_metric(scaling: Any) -> None:
    policy = {"PolicyType": "TargetTrackingScaling", "TargetTrackingScalingPolicyConfiguration": BACKLOG}
    scaling.put_scaling_policy(**TARGET, PolicyName="backlog", **policy)
    with pytest.raises(ClientError, match="which tracks ApproximateBacklogSizePerInstance too"):
        scaling.put_scaling_policy(**TARGET, PolicyName="again", **policy)
