"""Updates under a DeploymentConfig on a server whose waits pass 120 times faster: the requests are AWS's."""

import json
import os
import signal
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import BUCKET, LocalServer
from tests.local_sagemaker.api.test_endpoints import VARIANT, configure, make_model, wait_for

pytestmark = pytest.mark.e2e
TWO = {**VARIANT, "InitialInstanceCount": 2}
HANDLERS = """
import os
def model_fn(model_dir):
    return {word!r}
def transform_fn(model, body, content_type, accept):
    text = body.decode() if isinstance(body, bytes) else body
    if text == "fail":
        raise ValueError("no prediction for that")
    return model + " " + str(os.getpid()), "text/plain"
"""


@pytest.fixture(scope="module")
def aws(fast: LocalServer) -> Any:
    return fast.client("sagemaker")


@pytest.fixture(scope="module")
def model(fast: LocalServer, aws: Any) -> Callable[..., str]:
    return partial(make_model, aws, fast.client("s3"), code=HANDLERS)


class Load:
    """A client that asks all the time, and keeps who answered; a refusal is kept as its code."""

    def __init__(self, server: LocalServer, endpoint: str, body: str = "x") -> None:
        self.answers: list[str] = []
        self.pids: set[str] = set()
        self._runtime = server.client("sagemaker-runtime")
        self._endpoint, self._body = endpoint, body
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._ask)

    def __enter__(self) -> "Load":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _ask(self) -> None:
        while not self._done.wait(0.01):
            try:
                answer = self._runtime.invoke_endpoint(EndpointName=self._endpoint, Body=self._body.encode())
            except ClientError as error:
                self.answers.append(error.response["Error"]["Code"])
                continue
            word, pid = answer["Body"].read().decode().split()
            self.answers.append(word)
            self.pids.add(pid)


def alarm(cloudwatch: Any, name: str, endpoint: str, config: str, **fields: Any) -> str:
    """An alarm on the error rate of the fleet of one configuration."""
    dimensions = {"EndpointName": endpoint, "VariantName": "main", "EndpointConfigName": config}
    cloudwatch.put_metric_alarm(
        **{
            "AlarmName": name,
            "Namespace": "AWS/SageMaker",
            "MetricName": "Invocation5XXErrors",
            "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
            "Statistic": "Average",
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": 0.05,
            "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": "notBreaching",
            **fields,
        }
    )
    return name


def canary(wait: int, alarms: list[str], **fields: int) -> dict[str, Any]:
    routing = {
        "Type": "CANARY",
        "WaitIntervalInSeconds": wait,
        "CanarySize": {"Type": "INSTANCE_COUNT", "Value": 1},
    }
    config: dict[str, Any] = {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing, **fields}}
    if alarms:
        config["AutoRollbackConfiguration"] = {"Alarms": [{"AlarmName": name} for name in alarms]}
    return config


def settled(aws: Any, endpoint: str, seen: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """The endpoint once nothing changes it; each different state on the way is added to `seen`."""

    def done() -> dict[str, Any] | None:
        found: dict[str, Any] = aws.describe_endpoint(EndpointName=endpoint)
        if seen is not None:
            seen.append(found)
        return None if found["EndpointStatus"] in ("Creating", "Updating", "RollingBack") else found

    found: dict[str, Any] = wait_for(done)
    return found


def create(aws: Any, endpoint: str, config: str) -> None:
    aws.create_endpoint(EndpointName=endpoint, EndpointConfigName=config)
    assert settled(aws, endpoint)["EndpointStatus"] == "InService"


def test_an_instance_is_a_process_and_a_change_of_their_number_is_one_of_processes(
    fast: LocalServer, aws: Any, model: Callable[..., str]
) -> None:
    create(aws, "counted", configure(aws, model("one"), ProductionVariants=[TWO]))
    with Load(fast, "counted") as load:
        wait_for(lambda: len(load.pids) == 2)
        desired = [{"VariantName": "main", "DesiredInstanceCount": 3}]
        aws.update_endpoint_weights_and_capacities(EndpointName="counted", DesiredWeightsAndCapacities=desired)
        found = settled(aws, "counted")["ProductionVariants"][0]
        assert (found["CurrentInstanceCount"], found["DesiredInstanceCount"]) == (3, 3)
        wait_for(lambda: len(load.pids) == 3)
        os.kill(int(next(iter(load.pids))), signal.SIGKILL)
        time.sleep(1)
    assert load.answers.count("one") >= len(load.answers) - 1  # at most the one that the killed process had


def test_a_canary_shows_its_phases_and_loses_no_request(fast: LocalServer, aws: Any, model: Callable[..., str]) -> None:
    create(aws, "canary", configure(aws, model("old"), ProductionVariants=[TWO]))
    config = configure(aws, model("new"), ProductionVariants=[TWO])
    seen: list[dict[str, Any]] = []
    with Load(fast, "canary") as load:
        aws.update_endpoint(EndpointName="canary", EndpointConfigName=config, DeploymentConfig=canary(120, []))
        after = settled(aws, "canary", seen)
        wait_for(lambda: load.answers[-5:] == ["new"] * 5)
    assert after["EndpointConfigName"] == config
    assert after["LastDeploymentConfig"] == canary(120, [])
    assert set(load.answers) == {"old", "new"}
    phases = [state["PendingDeploymentSummary"]["ProductionVariants"][0] for state in seen[:-1]]
    statuses = [each["VariantStatus"][0]["Status"] for each in phases]
    assert [status for n, status in enumerate(statuses) if status not in statuses[:n]][:1] == ["Creating"]
    assert "Baking" in statuses
    assert {each["CurrentWeight"] for each in phases} >= {0.0, 0.5}
    halves = [state for state, phase in zip(seen, phases, strict=False) if phase["CurrentWeight"] == 0.5]
    assert halves[0]["ProductionVariants"][0]["CurrentWeight"] == 0.5


def test_an_alarm_on_the_new_fleet_rolls_back(
    fast: LocalServer, aws: Any, cloudwatch: Any, model: Callable[..., str]
) -> None:
    good = configure(aws, model("good"), ProductionVariants=[TWO])
    create(aws, "guarded", good)
    bad = configure(aws, model("bad", code=HANDLERS.replace('"fail"', '"x"')), ProductionVariants=[TWO])
    name = alarm(cloudwatch, "guarded-5xx", "guarded", bad)
    seen: list[dict[str, Any]] = []
    with Load(fast, "guarded") as load:
        aws.update_endpoint(EndpointName="guarded", EndpointConfigName=bad, DeploymentConfig=canary(3600, [name]))
        after = settled(aws, "guarded", seen)
        count = len(load.answers)
        wait_for(lambda: len(load.answers) > count + 5)
        assert set(load.answers[count:]) == {"good"}
    assert (after["EndpointStatus"], after["EndpointConfigName"]) == ("InService", good)
    assert "The alarm guarded-5xx is in ALARM" in after["FailureReason"]
    assert "ModelError" in load.answers
    assert load.answers.count("ModelError") < len(load.answers)
    [described] = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    assert "GreaterThanThreshold 0.05" in described["StateReason"] or described["StateValue"] == "OK"


def test_an_alarm_that_is_set_by_hand_rolls_back(aws: Any, cloudwatch: Any, model: Callable[..., str]) -> None:
    first = configure(aws, model("first"), ProductionVariants=[TWO])
    create(aws, "stopped", first)
    second = configure(aws, model("second"), ProductionVariants=[TWO])
    name = alarm(cloudwatch, "stopped-by-hand", "stopped", second)
    aws.update_endpoint(EndpointName="stopped", EndpointConfigName=second, DeploymentConfig=canary(3600, [name]))
    wait_for(lambda: "Baking" in json.dumps(aws.describe_endpoint(EndpointName="stopped"), default=str))
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="enough")
    after = settled(aws, "stopped")
    assert after["EndpointConfigName"] == first
    assert name in after["FailureReason"]


def test_a_rolling_update_exchanges_batches_and_goes_back(
    fast: LocalServer, aws: Any, cloudwatch: Any, model: Callable[..., str]
) -> None:
    old = configure(aws, model("old"), ProductionVariants=[TWO])
    create(aws, "rolled", old)
    new = configure(aws, model("new"), ProductionVariants=[TWO])
    policy = {"MaximumBatchSize": {"Type": "INSTANCE_COUNT", "Value": 1}, "WaitIntervalInSeconds": 120}
    name = alarm(cloudwatch, "rolled-by-hand", "rolled", new)
    rollback = {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": name}]}}
    with Load(fast, "rolled") as load:
        config = {"RollingUpdatePolicy": {**policy, "WaitIntervalInSeconds": 3600}, **rollback}
        aws.update_endpoint(EndpointName="rolled", EndpointConfigName=new, DeploymentConfig=config)
        wait_for(lambda: "new" in load.answers)
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="enough")
        assert settled(aws, "rolled")["EndpointConfigName"] == old
        variant = aws.describe_endpoint(EndpointName="rolled")["ProductionVariants"][0]
        assert variant["CurrentInstanceCount"] == 2
        aws.update_endpoint(
            EndpointName="rolled", EndpointConfigName=new, DeploymentConfig={"RollingUpdatePolicy": policy}
        )
        assert settled(aws, "rolled")["EndpointConfigName"] == new
        wait_for(lambda: load.answers[-5:] == ["new"] * 5)
    assert set(load.answers) == {"old", "new"}


def test_an_update_that_takes_too_long_goes_back(aws: Any, model: Callable[..., str]) -> None:
    old = configure(aws, model("old"), ProductionVariants=[TWO])
    create(aws, "slow", old)
    new = configure(aws, model("new"), ProductionVariants=[TWO])
    config = canary(3600, [], MaximumExecutionTimeoutInSeconds=600)
    aws.update_endpoint(EndpointName="slow", EndpointConfigName=new, DeploymentConfig=config)
    after = settled(aws, "slow")
    assert after["EndpointConfigName"] == old
    assert "longer than 600 s (MaximumExecutionTimeoutInSeconds)" in after["FailureReason"]


@pytest.mark.parametrize("phase", ["Creating", "Baking"])
def test_after_a_kill_in_any_phase_the_old_fleet_serves_and_the_status_says_so(
    fast: LocalServer, aws: Any, model: Callable[..., str], phase: str
) -> None:
    name = f"killed-{phase.lower()}"
    old = configure(aws, model("old"), ProductionVariants=[TWO])
    create(aws, name, old)
    slow = "import time; time.sleep(5)\n" if phase == "Creating" else ""
    new = configure(aws, model("new", code=slow + HANDLERS), ProductionVariants=[TWO])
    aws.update_endpoint(EndpointName=name, EndpointConfigName=new, DeploymentConfig=canary(3600, []))
    wait_for(lambda: phase in json.dumps(aws.describe_endpoint(EndpointName=name), default=str))
    os.kill(fast.up().pid, signal.SIGKILL)
    fast.up()
    after = settled(aws, name)
    assert (after["EndpointStatus"], after["EndpointConfigName"]) == ("InService", old)
    assert f"stopped during the update to {new}" in after["FailureReason"]


def test_what_the_service_would_refuse_is_refused(aws: Any, model: Callable[..., str]) -> None:
    config = configure(aws, model("only"))
    create(aws, "refused", config)
    for deployment, words in (
        (canary(60, []), "at most 50%"),
        (canary(60, ["nobody"], MaximumExecutionTimeoutInSeconds=600), "at most 50%"),
    ):
        with pytest.raises(ClientError, match=words):
            aws.update_endpoint(EndpointName="refused", EndpointConfigName=config, DeploymentConfig=deployment)
    gone = {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "nobody"}]}}
    with pytest.raises(ClientError, match="alarms nobody of AutoRollbackConfiguration do not exist"):
        aws.update_endpoint(EndpointName="refused", EndpointConfigName=config, DeploymentConfig=gone)
    many = configure(aws, model("many"), ProductionVariants=[{**VARIANT, "InitialInstanceCount": 33}])
    with pytest.raises(ClientError, match="at most 32 instances"):
        aws.update_endpoint(EndpointName="refused", EndpointConfigName=many)


def test_a_serverless_variant_starts_on_demand_and_throttles(
    fast: LocalServer, aws: Any, model: Callable[..., str]
) -> None:
    code = HANDLERS.replace("text = body", "import time; time.sleep(0.5); text = body")
    variant = {"VariantName": "main", "ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 2}}
    create(aws, "serverless", configure(aws, model("less", code=code), ProductionVariants=[variant]))
    described = aws.describe_endpoint(EndpointName="serverless")["ProductionVariants"][0]
    assert described["CurrentServerlessConfig"]["MaxConcurrency"] == 2
    with Load(fast, "serverless") as one, Load(fast, "serverless") as two, Load(fast, "serverless") as three:
        time.sleep(4)
    answers = one.answers + two.answers + three.answers
    assert set(answers) == {"less", "ThrottlingException"}
    logs = fast.client("logs")
    group = "/aws/sagemaker/Endpoints/serverless"
    messages = [event["message"] for event in logs.filter_log_events(logGroupName=group)["events"]]
    assert any("Cold start" in message for message in messages)


def test_a_shadow_variant_gets_copies_its_answers_are_captured_and_it_is_gone_back_to(
    fast: LocalServer, aws: Any, cloudwatch: Any, model: Callable[..., str]
) -> None:
    options = [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}]
    capture = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": f"s3://{BUCKET}/capture",
        "CaptureOptions": options,
    }
    shadow = {**VARIANT, "VariantName": "shadow", "ModelName": model("twin")}
    config = configure(
        aws,
        model("main"),
        ProductionVariants=[VARIANT],
        ShadowProductionVariants=[shadow],
        DataCaptureConfig=capture,
    )
    create(aws, "shadowed", config)
    runtime, s3 = fast.client("sagemaker-runtime"), fast.client("s3")
    answer = runtime.invoke_endpoint(EndpointName="shadowed", Body=b"x", InferenceId="id-1")
    assert answer["Body"].read().decode().startswith("main")

    def captured() -> list[str]:
        found = s3.list_objects_v2(Bucket=BUCKET, Prefix="capture/shadowed/").get("Contents", [])
        return sorted(entry["Key"].split("/")[2] for entry in found)

    wait_for(lambda: captured() == ["main", "shadow"])
    assert aws.describe_endpoint(EndpointName="shadowed")["ShadowProductionVariants"][0]["VariantName"] == "shadow"
    plain = configure(aws, model("next"), ProductionVariants=[TWO])
    name = alarm(cloudwatch, "shadowed-gate", "shadowed", plain, TreatMissingData="ignore")
    aws.update_endpoint(EndpointName="shadowed", EndpointConfigName=plain, DeploymentConfig=canary(3600, [name]))
    wait_for(lambda: "Baking" in str(aws.describe_endpoint(EndpointName="shadowed").get("PendingDeploymentSummary")))
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="no more of it")
    after = settled(aws, "shadowed")  # what has a shadow is gone back to, too
    assert (after["EndpointStatus"], after["EndpointConfigName"]) == ("InService", config)
    assert "The alarm shadowed-gate is in ALARM" in after["FailureReason"]
