"""The requests of a guarded update, against botocore's shapes."""

from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from deployment.guard import AlarmLimits, Guard
from deployment.packages import Package
from deployment.plan import DeploymentPlan
from deployment.specification import Capture, Hosting, Serverless, Specification

LIMITS = AlarmLimits(0.01, 500.0, 120, 2)
PACKAGE = Package("arn:aws:sagemaker:eu-west-1:123456789012:model-package/h/3", "h", 3, "Approved", "0123456789")
ROLE = "arn:aws:iam::123456789012:role/serve"
HALF: Any = ("CAPACITY_PERCENT", 50)
ONE: Any = ("INSTANCE_COUNT", 1)


def check(service: str, operation: str, request: dict[str, Any]) -> None:
    model = botocore.session.get_session().get_service_model(service)
    report = ParamValidator().validate(request, model.operation_model(operation).input_shape)
    assert not report.has_errors(), report.generate_report()


def plan(guard: Guard, first: bool = False, **hosting: Any) -> DeploymentPlan:
    machines = Hosting("ml.m5.large", 2, ROLE, **hosting)
    return DeploymentPlan(Specification("houses", "staging", PACKAGE, machines), guard, first)


@pytest.mark.parametrize(
    ("guard", "expected"),
    [
        (
            Guard("canary", HALF, 300, 60, 3600),
            {
                "BlueGreenUpdatePolicy": {
                    "TrafficRoutingConfiguration": {
                        "Type": "CANARY",
                        "WaitIntervalInSeconds": 300,
                        "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 50},
                    },
                    "TerminationWaitInSeconds": 60,
                    "MaximumExecutionTimeoutInSeconds": 3600,
                }
            },
        ),
        (
            Guard("linear", ONE, 60),
            {
                "BlueGreenUpdatePolicy": {
                    "TrafficRoutingConfiguration": {
                        "Type": "LINEAR",
                        "WaitIntervalInSeconds": 60,
                        "LinearStepSize": {"Type": "INSTANCE_COUNT", "Value": 1},
                    },
                    "TerminationWaitInSeconds": 0,
                }
            },
        ),
        (
            Guard("rolling", ONE, 60, limit_seconds=600),
            {
                "RollingUpdatePolicy": {
                    "MaximumBatchSize": {"Type": "INSTANCE_COUNT", "Value": 1},
                    "WaitIntervalInSeconds": 60,
                    "MaximumExecutionTimeoutInSeconds": 600,
                }
            },
        ),
    ],
)
def test_each_strategy_is_a_deployment_config_of_the_service(guard: Guard, expected: dict[str, Any]) -> None:
    config = guard.deployment_config([])
    assert config == expected
    check("sagemaker", "UpdateEndpoint", {"EndpointName": "e", "EndpointConfigName": "c", "DeploymentConfig": config})


def test_the_alarms_watch_the_new_configuration_alone_and_the_last_is_the_gate() -> None:
    errors, latency, gate = Guard("all_at_once", None, 300, limits=LIMITS).alarm_requests("houses", "houses-v3-1")
    for request in (errors, latency, gate):
        check("cloudwatch", "PutMetricAlarm", request)
    assert {each["Name"]: each["Value"] for each in errors["Dimensions"]} == {
        "EndpointName": "houses",
        "VariantName": "AllTraffic",
        "EndpointConfigName": "houses-v3-1",
    }
    assert (errors["MetricName"], errors["Statistic"], errors["Threshold"]) == ("Invocation5XXErrors", "Average", 0.01)
    assert (errors["Period"], errors["EvaluationPeriods"]) == (120, 2)
    assert (latency["ExtendedStatistic"], latency["Threshold"]) == ("p99", 500_000.0)
    assert gate["AlarmName"] == "houses-v3-1-gate"
    assert (gate["TreatMissingData"], gate["Namespace"]) == ("ignore", "Deployments")


def test_without_limits_there_is_no_alarm_and_without_a_latency_one_less() -> None:
    assert Guard("all_at_once", None, 300).alarm_requests("e", "c") == []
    assert len(Guard(limits=AlarmLimits(0.01, None, 60, 1)).alarm_requests("e", "c")) == 2


def test_a_plan_has_the_requests_in_their_order() -> None:
    guarded = plan(Guard("canary", HALF, 300, limits=LIMITS), capture=Capture("s3://b/capture", 50), kms_key="key")
    requests = guarded.requests()
    assert [operation for operation, _ in requests] == [
        "CreateModel",
        "CreateEndpointConfig",
        *["PutMetricAlarm"] * 3,
        "UpdateEndpoint",
        "DeleteAlarms",
    ]
    for operation, request in requests:
        check("cloudwatch" if "Alarm" in operation else "sagemaker", operation, request)
    config = dict(requests)["CreateEndpointConfig"]
    assert config["DataCaptureConfig"]["InitialSamplingPercentage"] == 50
    assert config["DataCaptureConfig"]["KmsKeyId"] == "key"
    alarms = dict(requests)["UpdateEndpoint"]["DeploymentConfig"]["AutoRollbackConfiguration"]["Alarms"]
    assert [each["AlarmName"] for each in alarms] == dict(requests)["DeleteAlarms"]["AlarmNames"]
    assert [operation for operation, _ in plan(Guard(), first=True).requests()][-1] == "CreateEndpoint"
    assert "DeploymentConfig" not in dict(plan(Guard()).requests())["UpdateEndpoint"]


def test_a_plan_says_what_it_takes() -> None:
    blue_green = plan(Guard("canary", HALF, 1800)).sentences(3600, 2, 0.115)
    assert blue_green == [
        "canary: 2 steps, 3600 s of waiting beside the starts.",
        "Meanwhile 2 x ml.m5.large more run than before; for the waits this costs $0.23.",
    ]
    assert "1 x ml.m5.large more" in plan(Guard("rolling", HALF, 60)).sentences(120, 2, None)[1]
    assert "costs unknown" in plan(Guard("rolling", ONE, 60)).sentences(120, 2, None)[1]
    assert "nothing is shifted" in plan(Guard(), first=True).sentences(0, 1, None)[0]
    assert "Serverless" in plan(Guard(), serverless=Serverless(2048, 5)).sentences(0, 1, None)[1]


def test_serverless_has_no_instances() -> None:
    config = dict(plan(Guard(), serverless=Serverless(2048, 5)).requests())["CreateEndpointConfig"]
    check("sagemaker", "CreateEndpointConfig", config)
    [variant] = config["ProductionVariants"]
    assert variant["ServerlessConfig"] == {"MemorySizeInMB": 2048, "MaxConcurrency": 5}
    assert "InstanceType" not in variant


def test_what_serves_already_is_not_planned_to_be_made_again() -> None:
    wanted = plan(Guard()).wanted
    served = DeploymentPlan(wanted, Guard(), False, ((), {}, (("PutScalingPolicy", {}),)), serves=True)
    assert served.requests() == [("PutScalingPolicy", {})]
    (sentence,) = served.sentences(0, 1, None)
    assert sentence == f"{wanted.endpoint} already serves {wanted.config_name}: nothing else would be sent."
