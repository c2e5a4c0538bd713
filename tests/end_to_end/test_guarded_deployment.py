"""Deployments that are guarded, against local SageMaker whose waits pass 60 times faster: real processes and alarms."""

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from command_line.guarded_deployment import asking
from deployment.alarms import AlarmClients, DeploymentAlarms
from deployment.deploy import Deployed, Deployment
from deployment.endpoint import Waiting
from deployment.errors import DeploymentError, Inconclusive, RolledBack
from deployment.golden import GoldenCheck, GoldenRows
from deployment.guard import AlarmLimits, Guard
from deployment.guarded_update import Guarding
from deployment.packages import describe_package
from deployment.specification import Hosting, Specification
from deployment.weighted import CANDIDATE
from tests.conftest import BUCKET, LocalServer, running
from tests.end_to_end.small_versions import register_version
from tests.local_sagemaker.conftest import ROLE

pytestmark = [pytest.mark.e2e, pytest.mark.journey]
SCALE = 60
LIMITS = AlarmLimits(max_error_rate=0.01, max_latency_ms=2000, period_seconds=60, evaluation_periods=1)
CANARY = Guard("canary", ("INSTANCE_COUNT", 1), wait_seconds=240, limits=LIMITS)
WEIGHTED = Guard("weighted", ("CAPACITY_PERCENT", 50), wait_seconds=120, limits=LIMITS)
GROUP = "guarded"


@pytest.fixture(scope="module")
def fast(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    with running(tmp_path_factory.mktemp("fast"), SAGEMAKER_LOCAL_TIME_SCALE=str(SCALE)) as server:
        yield server


class Stage:
    """An endpoint to which versions with a given fault are deployed; its clients ask all the time."""

    def __init__(self, server: LocalServer, endpoint: str, incidents: Path) -> None:
        self.server, self.endpoint, self.incidents = server, endpoint, incidents
        self.sagemaker, self.s3 = server.client("sagemaker"), server.client("s3")
        self.clients = AlarmClients(server.client("cloudwatch"), server.client("logs"))
        self.lines: list[str] = []

    def register(self, name: str, load: str = "pass", fault: str = "pass", factor: float = 2.0) -> str:
        """A version of the model that answers x * factor, and does `fault` at each request."""
        return register_version(self.sagemaker, self.s3, GROUP, name, load=load, fault=fault, factor=factor)

    def attempt(self, arn: str, guard: Guard, golden: GoldenRows | None = None) -> Deployment:
        package = describe_package(self.sagemaker, arn)
        assert package is not None
        specification = Specification(self.endpoint, "staging", package, Hosting("ml.m5.large", 2, ROLE))
        runtime = self.server.client("sagemaker-runtime")
        check, candidate = (
            GoldenCheck(golden, asking(runtime, self.endpoint, variant)) if golden is not None else None
            for variant in (None, CANDIDATE)
        )
        guarding = Guarding(guard, self.clients, check, candidate, self.incidents, metric_period=1)
        waiting = Waiting(0.05, 60, SCALE)
        return Deployment(self.sagemaker, specification, waiting, self.lines.append, "/logs", guarding)

    def deploy(self, arn: str, guard: Guard = CANARY, golden: GoldenRows | None = None) -> Deployed:
        return self.attempt(arn, guard, golden).run()

    def serving(self) -> str:
        status, text = asking(self.server.client("sagemaker-runtime"), self.endpoint)(b'{"instances": [{"x": 1}]}')
        assert status == 200, text
        return str(json.loads(text)["model"])

    def alarms(self) -> list[str]:
        found = self.server.client("cloudwatch").describe_alarms(AlarmNamePrefix=self.endpoint)["MetricAlarms"]
        return [each["AlarmName"] for each in found]


@pytest.fixture
def stage(fast: LocalServer, tmp_path: Path, request: pytest.FixtureRequest) -> Stage:
    return Stage(fast, f"guarded-{abs(hash(request.node.name)) % 10**8}", tmp_path / "incidents")


class Load:
    """Clients that ask an endpoint until the test ends; `failed` is what they were told in place of an answer."""

    def __init__(self, server: LocalServer) -> None:
        self._server = server
        self._done = threading.Event()
        self._threads: list[threading.Thread] = []
        self.answered = 0
        self.failed: list[str] = []

    def __call__(self, endpoint: str) -> None:
        self._threads.append(threading.Thread(target=self._ask, args=(endpoint,)))
        self._threads[-1].start()

    def end(self) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, endpoint: str) -> None:
        client = self._server.client("sagemaker-runtime")
        while not self._done.wait(0.02):
            try:
                client.invoke_endpoint(
                    EndpointName=endpoint, Body=b'{"instances": [{"x": 3}]}', ContentType="application/json"
                )
                self.answered += 1
            except ClientError as error:
                self.failed.append(str(error))
                time.sleep(0.02)  # what the model answers is the alarm's affair


@pytest.fixture
def load(fast: LocalServer) -> Iterator[Load]:
    clients = Load(fast)
    yield clients
    clients.end()


def golden(name: str, factor: float = 2.0) -> GoldenRows:
    rows = tuple({"x": float(number)} for number in range(1, 8))
    return GoldenRows(name, rows, tuple(row["x"] * factor for row in rows), ({"y": 1},))


def test_a_good_version_takes_over_and_its_alarms_are_gone(stage: Stage, load: Load) -> None:
    stage.deploy(stage.register("v1"))
    load(stage.endpoint)
    check = golden("v2", 3.0)
    outcome = stage.deploy(stage.register("v2", factor=3.0), CANARY, check)
    assert outcome.action == "updated"
    assert stage.serving() == "v2"
    assert stage.alarms() == []
    phases = [line.split()[0] for line in stage.lines if "of the requests to the new fleet" in line]
    assert "Baking," in phases
    assert any("50% of the requests" in line for line in stage.lines)


def test_a_version_that_fails_is_rolled_back_by_its_alarm_with_a_page(stage: Stage, load: Load) -> None:
    first = stage.deploy(stage.register("good"))
    load(stage.endpoint)
    with pytest.raises(RolledBack, match=r"The alarm .*-5xx is in ALARM") as caught:
        stage.deploy(stage.register("bad", fault="raise RuntimeError('broken')"))
    assert stage.serving() == "good"
    assert stage.sagemaker.describe_endpoint(EndpointName=stage.endpoint)["EndpointConfigName"] == first.config
    assert stage.alarms() == []
    page = Path(str(caught.value).rpartition(": ")[2])
    text = page.read_text()
    assert f"`{first.config}` serves." in text
    assert "| RollingBack |" in text
    assert "Invocation5XXErrors of the new fleet (share of 5xx answers)" in text
    assert page.with_suffix(".svg").read_text().startswith("<svg")
    configs = stage.sagemaker.list_endpoint_configs(NameContains=stage.endpoint)["EndpointConfigs"]
    assert [each["EndpointConfigName"] for each in configs] == [first.config]


def test_a_slow_version_is_rolled_back(stage: Stage, load: Load) -> None:
    stage.deploy(stage.register("quick"))
    load(stage.endpoint)
    guard = Guard("canary", ("INSTANCE_COUNT", 1), 240, limits=AlarmLimits(0.01, 300, 60, 1))
    with pytest.raises(RolledBack, match=r"-latency is in ALARM"):
        stage.deploy(stage.register("slow", fault="import time; time.sleep(0.6)"), guard)
    assert stage.serving() == "quick"


def test_without_traffic_the_outcome_is_inconclusive_and_the_old_version_serves(stage: Stage) -> None:
    stage.deploy(stage.register("old"))
    guard = Guard("canary", ("INSTANCE_COUNT", 1), 240, min_requests=10, limits=LIMITS)
    with pytest.raises(Inconclusive, match="asked 0 times by clients, and 10 are needed"):
        stage.deploy(stage.register("new"), guard)
    assert stage.serving() == "old"


def test_golden_rows_that_differ_roll_back(stage: Stage) -> None:
    stage.deploy(stage.register("same"))
    with pytest.raises(RolledBack, match=r"answered \d+ and had predicted \d+ when it was evaluated"):
        stage.deploy(stage.register("other", factor=2.0), CANARY, golden("other", 3.0))
    assert stage.serving() == "same"


def test_a_version_that_answers_nan_is_undone_at_the_first_deployment(stage: Stage) -> None:
    answer = 'return json.dumps({"predictions": [{"score": float("nan")}], "model": model}), accept'
    with pytest.raises(DeploymentError, match="answered nan and had predicted 2"):
        stage.deploy(stage.register("nan", fault=answer), CANARY, golden("nan"))
    with pytest.raises(ClientError, match="Could not find"):
        stage.sagemaker.describe_endpoint(EndpointName=stage.endpoint)


def test_a_model_that_does_not_load_leaves_the_old_version(stage: Stage) -> None:
    stage.deploy(stage.register("loads"))
    with pytest.raises(RolledBack, match="cannot be loaded"):
        stage.deploy(stage.register("fails", load="raise RuntimeError('cannot be loaded')"))
    assert stage.serving() == "loads"
    assert stage.alarms() == []


def test_a_corrupt_archive_leaves_the_old_version(stage: Stage) -> None:
    stage.deploy(stage.register("whole"))
    arn = stage.register("torn")
    stage.s3.put_object(Bucket=BUCKET, Key="torn.tar.gz", Body=b"not an archive")
    with pytest.raises(RolledBack, match=r"torn\.tar\.gz"):
        stage.deploy(arn)
    assert stage.serving() == "whole"


def test_abort_rolls_back_and_a_second_deployer_follows_the_first(stage: Stage) -> None:
    stage.deploy(stage.register("before"))
    arn = stage.register("after")
    guard = Guard("canary", ("INSTANCE_COUNT", 1), 3600, limits=LIMITS)
    outcomes: list[BaseException] = []

    def deploy() -> None:
        try:
            stage.deploy(arn, guard)
        except DeploymentError as error:
            outcomes.append(error)

    first = threading.Thread(target=deploy)
    first.start()
    deadline = time.monotonic() + 30
    while not any("Baking" in line for line in stage.lines):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    second = threading.Thread(target=deploy)
    second.start()
    while not any("is already under way" in line for line in stage.lines):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    pending = stage.sagemaker.describe_endpoint(EndpointName=stage.endpoint)["PendingDeploymentSummary"]
    alarms = DeploymentAlarms(stage.clients, stage.endpoint, pending["EndpointConfigName"])
    alarms.roll_back("Aborted by a test.")
    first.join()
    second.join()
    assert [type(each) for each in outcomes] == [RolledBack, RolledBack]
    assert any(str(each).startswith("Aborted by a test. guarded-") for each in outcomes)  # who reads the alarm first
    assert stage.serving() == "before"


def test_what_has_no_alarms_cannot_be_aborted(stage: Stage) -> None:
    with pytest.raises(DeploymentError, match="no operation that stops an update"):
        DeploymentAlarms(stage.clients, stage.endpoint, "config").roll_back("a test")


def test_invalid_predictions_in_the_log_roll_back_although_all_is_answered(stage: Stage, load: Load) -> None:
    said = 'import sys; print("Invalid prediction by model bad: 1 of 1 rows", file=sys.stderr, flush=True)'
    stage.deploy(stage.register("fine", fault=said))  # what the old model logs is not the new one's
    load(stage.endpoint)
    with pytest.raises(RolledBack, match=r"-invalid is in ALARM"):
        stage.deploy(stage.register("bad", fault=said), CANARY, golden("bad"))
    assert stage.serving() == "fine"
    assert stage.clients.logs.describe_metric_filters()["metricFilters"] == []
    assert stage.alarms() == []


def test_a_weighted_shift_brings_a_good_version_to_all_requests_and_nobody_sees_it(stage: Stage, load: Load) -> None:
    first = stage.deploy(stage.register("w1"))
    load(stage.endpoint)
    guard = Guard("weighted", ("CAPACITY_PERCENT", 50), 120, 60, min_requests=5, limits=LIMITS)
    outcome = stage.deploy(stage.register("w2", factor=3.0), guard, golden("w2", 3.0))
    assert outcome.action == "updated"
    assert stage.serving() == "w2"
    assert stage.alarms() == []
    load.end()
    assert load.failed == []
    assert load.answered > 20
    steps = [line.strip() for line in stage.lines if "ActivatingTraffic" in line]
    assert [step.split()[1] for step in steps] == ["50%", "100%"]
    configs = stage.sagemaker.list_endpoint_configs(NameContains=stage.endpoint)["EndpointConfigs"]
    assert {each["EndpointConfigName"] for each in configs} == {first.config, outcome.config}


def test_a_weighted_shift_goes_back_when_an_alarm_is_raised(stage: Stage, load: Load) -> None:
    first = stage.deploy(stage.register("w3"))
    load(stage.endpoint)
    with pytest.raises(RolledBack, match=r"The alarm .*-shift-5xx is in ALARM") as caught:
        stage.deploy(stage.register("w4", fault="raise RuntimeError('broken')"), WEIGHTED)
    assert stage.serving() == "w3"
    assert stage.alarms() == []
    assert "| RollingBack | 0% |" in Path(str(caught.value).rpartition(": ")[2]).read_text()
    configs = stage.sagemaker.list_endpoint_configs(NameContains=stage.endpoint)["EndpointConfigs"]
    assert [each["EndpointConfigName"] for each in configs] == [first.config]


def test_golden_rows_that_differ_end_a_weighted_shift_before_a_client_is_answered(stage: Stage) -> None:
    stage.deploy(stage.register("w5"))
    with pytest.raises(RolledBack, match="and had predicted"):
        stage.deploy(stage.register("w6"), WEIGHTED, golden("w6", 3.0))
    assert not any("ActivatingTraffic" in line for line in stage.lines)
    assert stage.serving() == "w5"


def test_a_weighted_shift_that_nobody_asked_is_inconclusive(stage: Stage) -> None:
    stage.deploy(stage.register("w7"))
    guard = Guard("weighted", ("CAPACITY_PERCENT", 100), 60, min_requests=1, limits=LIMITS)
    with pytest.raises(Inconclusive, match="asked 0 times by clients, and 1 are needed"):
        stage.deploy(stage.register("w8"), guard, golden("w8"))
    assert stage.serving() == "w7"


def test_a_weighted_shift_of_a_model_that_does_not_load_leaves_the_old_version(stage: Stage) -> None:
    stage.deploy(stage.register("w9"))
    with pytest.raises(RolledBack, match=r"(?s)did not come up beside the old one.*cannot be loaded"):
        stage.deploy(stage.register("w10", load="raise RuntimeError('cannot be loaded')"), WEIGHTED)
    assert stage.serving() == "w9"
