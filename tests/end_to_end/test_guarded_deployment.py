"""Deployments that are guarded, against local SageMaker whose waits pass 60 times faster: real processes and alarms."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from command_line.guarded_deployment import asking
from deployment.alarms import DeploymentAlarms
from deployment.deploy import Deployed, Deployment
from deployment.endpoint import Waiting
from deployment.errors import DeploymentError, Inconclusive, RolledBack
from deployment.golden import GoldenCheck, GoldenRows
from deployment.guard import AlarmLimits, Guard
from deployment.guarded_update import Guarding
from deployment.packages import describe_package
from deployment.specification import Hosting, Specification
from tests.conftest import BUCKET, LocalServer, running
from tests.end_to_end.small_versions import register_version
from tests.local_sagemaker.conftest import ROLE

pytestmark = pytest.mark.e2e
SCALE = 60
LIMITS = AlarmLimits(max_error_rate=0.01, max_latency_ms=2000, period_seconds=60, evaluation_periods=1)
CANARY = Guard("canary", ("INSTANCE_COUNT", 1), wait_seconds=240, limits=LIMITS)
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
        self.lines: list[str] = []

    def register(self, name: str, load: str = "pass", fault: str = "pass", factor: float = 2.0) -> str:
        """A version of the model that answers x * factor, and does `fault` at each request."""
        return register_version(self.sagemaker, self.s3, GROUP, name, load=load, fault=fault, factor=factor)

    def attempt(self, arn: str, guard: Guard, golden: GoldenRows | None = None) -> Deployment:
        package = describe_package(self.sagemaker, arn)
        assert package is not None
        specification = Specification(self.endpoint, "staging", package, Hosting("ml.m5.large", 2, ROLE))
        ask = asking(self.server.client("sagemaker-runtime"), self.endpoint)
        check = GoldenCheck(golden, ask) if golden is not None else None
        guarding = Guarding(guard, self.server.client("cloudwatch"), check, self.incidents, metric_period=1)
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


@pytest.fixture
def load(fast: LocalServer) -> Iterator[Callable[[str], None]]:
    """Starts clients that ask an endpoint until the test ends."""
    done = threading.Event()
    threads: list[threading.Thread] = []

    def ask(endpoint: str) -> None:
        client = fast.client("sagemaker-runtime")
        while not done.wait(0.02):
            try:
                client.invoke_endpoint(
                    EndpointName=endpoint, Body=b'{"instances": [{"x": 3}]}', ContentType="application/json"
                )
            except ClientError:
                time.sleep(0.02)  # what the model answers is the alarm's affair

    def start(endpoint: str) -> None:
        threads.append(threading.Thread(target=ask, args=(endpoint,)))
        threads[-1].start()

    yield start
    done.set()
    for thread in threads:
        thread.join()


def golden(name: str, factor: float = 2.0) -> GoldenRows:
    rows = tuple({"x": float(number)} for number in range(1, 8))
    return GoldenRows(name, rows, tuple(row["x"] * factor for row in rows), ({"y": 1},))


def test_a_good_version_takes_over_and_its_alarms_are_gone(stage: Stage, load: Callable[[str], None]) -> None:
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


def test_a_version_that_fails_is_rolled_back_by_its_alarm_with_a_page(
    stage: Stage, load: Callable[[str], None]
) -> None:
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


def test_a_slow_version_is_rolled_back(stage: Stage, load: Callable[[str], None]) -> None:
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
    while not any("is under way already" in line for line in stage.lines):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    pending = stage.sagemaker.describe_endpoint(EndpointName=stage.endpoint)["PendingDeploymentSummary"]
    alarms = DeploymentAlarms(stage.server.client("cloudwatch"), stage.endpoint, pending["EndpointConfigName"])
    alarms.roll_back("a test")
    first.join()
    second.join()
    assert [type(each) for each in outcomes] == [RolledBack, RolledBack]
    assert stage.serving() == "before"


def test_what_has_no_alarms_cannot_be_aborted(stage: Stage) -> None:
    with pytest.raises(DeploymentError, match="no operation that stops an update"):
        DeploymentAlarms(stage.server.client("cloudwatch"), stage.endpoint, "config").roll_back("a test")
