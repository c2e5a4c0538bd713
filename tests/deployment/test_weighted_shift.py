"""A weighted shift step by step: what is watched while it goes, how it goes back, and how it is gone on with."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deployment.alarms import AlarmClients
from deployment.deploy import Deployed, Deployment
from deployment.endpoint import Waiting
from deployment.errors import DeploymentError, RolledBack
from deployment.guard import AlarmLimits, Guard
from deployment.guarded_update import Guarding
from deployment.live_shift import LiveShift, live_shift, steer
from deployment.packages import describe_package
from deployment.retire import retire
from deployment.specification import Specification
from deployment.weighted import ABORTED, PAUSED, RUNS, is_shift
from tests.deployment.conftest import Hosting
from tests.deployment.test_deploy import ENDPOINT, MACHINES

pytestmark = pytest.mark.e2e

WEIGHTED = Guard("weighted", ("CAPACITY_PERCENT", 30), wait_seconds=1, limits=AlarmLimits(0.01, 500, 60, 1))
SCALE = 100.0  # the second of a step passes in 10 ms


class Metrics:
    """CloudWatch and its logs: the alarms that were put, of which one is `raised`; `look` is called at each look."""

    def __init__(self) -> None:
        self.alarms: dict[str, dict[str, Any]] = {}
        self.raised: str | None = None
        self.look: Callable[[], None] = lambda: None

    def put_metric_alarm(self, **request: Any) -> None:
        self.alarms[request["AlarmName"]] = request

    def describe_alarms(self, AlarmNames: list[str]) -> dict[str, Any]:
        self.look()
        names = [name for name in AlarmNames if name in self.alarms]
        states = ["ALARM" if self.raised and name.endswith(self.raised) else "OK" for name in names]
        found = [
            {"AlarmName": name, "StateValue": state, "StateReason": "measured"}
            for name, state in zip(names, states, strict=True)
        ]
        return {"MetricAlarms": found}

    def delete_alarms(self, AlarmNames: list[str]) -> None:
        for name in AlarmNames:
            del self.alarms[name]

    def delete_metric_filter(self, **_: Any) -> None:
        pass

    def get_paginator(self, _: str) -> Any:
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        return [{"MetricDataResults": []}]


class Shifting:
    """An endpoint that serves version 1, and version 2 on the way to it."""

    def __init__(self, hosting: Hosting, folder: Path) -> None:
        self.hosting, self.folder = hosting, folder
        self.metrics = Metrics()
        self.lines: list[str] = []
        self.first = self.deploy(hosting.register(), Guard())
        self.package = hosting.register()

    def deploy(self, arn: str | None = None, guard: Guard = WEIGHTED) -> Deployed:
        package = describe_package(self.hosting.sagemaker, arn or self.package)
        assert package is not None
        specification = Specification(ENDPOINT, "staging", package, MACHINES)
        guarding = Guarding(guard, AlarmClients(self.metrics, self.metrics), incidents=self.folder)
        waiting = Waiting(0.001, 5, SCALE)
        return Deployment(self.hosting.sagemaker, specification, waiting, self.lines.append, "log", guarding).run()

    def at(self, percent: int, act: Callable[[], None]) -> None:
        """Do something once, at the first look while the new version gets so many percent of the requests."""

        def look() -> None:
            weights = self.hosting.endpoints.get(ENDPOINT, {}).get("weights", {})
            if round(100 * weights.get("Candidate", 0)) == percent:
                self.metrics.look = lambda: None
                act()

        self.metrics.look = look

    def shift(self) -> LiveShift:
        found = live_shift(self.hosting.sagemaker, ENDPOINT)
        assert found is not None
        return found

    def steer(self, wanted: str) -> None:
        steer(self.hosting.sagemaker, self.shift(), wanted)

    @property
    def percents(self) -> list[int]:
        """Each share of the requests that was asked for."""
        asked = self.hosting.aws.asked("UpdateEndpointWeightsAndCapacities")
        return [round(100 * each["DesiredWeightsAndCapacities"][1]["DesiredWeight"]) for each in asked]

    @property
    def serving(self) -> str:
        return str(self.hosting.endpoints[ENDPOINT]["EndpointConfigName"])

    def is_clean(self) -> bool:
        """Nothing is left that only the shift needed."""
        return not self.metrics.alarms and not any(map(is_shift, self.hosting.configs))


@pytest.fixture
def shifting(hosting: Hosting, tmp_path: Path) -> Shifting:
    return Shifting(hosting, tmp_path)


def interrupt() -> None:
    raise KeyboardInterrupt


def test_the_requests_go_over_step_by_step_and_the_new_version_serves_alone(shifting: Shifting) -> None:
    outcome = shifting.deploy()
    assert shifting.percents == [30, 60, 90, 100]
    assert (outcome.action, shifting.serving) == ("updated", outcome.config)
    assert shifting.is_clean()
    assert [variant["VariantName"] for variant in shifting.hosting.configs[outcome.config]["ProductionVariants"]] == [
        "AllTraffic"
    ]
    assert shifting.deploy().action == "unchanged"


def test_an_alarm_brings_all_requests_back_at_once_and_leaves_a_page(shifting: Shifting) -> None:
    shifting.at(60, lambda: setattr(shifting.metrics, "raised", "-5xx"))
    with pytest.raises(RolledBack, match=r"The alarm \S+-shift-5xx is in ALARM: measured") as caught:
        shifting.deploy()
    assert shifting.percents == [30, 60, 0]
    assert shifting.serving == shifting.first.config
    assert shifting.is_clean()
    assert list(shifting.hosting.configs) == [shifting.first.config]
    assert "| RollingBack | 0% |" in Path(str(caught.value).rpartition(": ")[2]).read_text()


@pytest.mark.parametrize("percent", [0, 30, 90, 100])
def test_killed_and_repeated_it_goes_on_from_where_it_was(shifting: Shifting, percent: int) -> None:
    shifting.at(percent, interrupt)
    with pytest.raises(KeyboardInterrupt):
        shifting.deploy()
    before = shifting.percents
    assert before == [each for each in (30, 60, 90, 100) if each <= percent]
    if percent:
        assert is_shift(shifting.serving)
    outcome = shifting.deploy()
    assert shifting.percents == [30, 60, 90, 100]
    assert shifting.serving == outcome.config
    assert shifting.is_clean()


def killed_at_update(shifting: Shifting, number: int) -> None:
    """The deploying process dies when it has asked for its update of this number."""
    asked, update = 0, shifting.hosting.aws.answers["UpdateEndpoint"]
    describe = shifting.hosting.aws.answers["DescribeEndpoint"]

    def counted(request: dict[str, Any]) -> dict[str, Any]:
        nonlocal asked
        asked += 1
        return update(request)

    shifting.hosting.aws.answers["UpdateEndpoint"] = counted

    def sleep(_: float) -> None:
        if asked == number:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("deployment.endpoint.time.sleep", sleep)
        with pytest.raises(KeyboardInterrupt):
            shifting.deploy()
    shifting.hosting.aws.answers.update(UpdateEndpoint=update, DescribeEndpoint=describe)


@pytest.mark.parametrize("number", [1, 2])
def test_killed_while_sagemaker_updates_it_goes_on_too(shifting: Shifting, number: int) -> None:
    killed_at_update(shifting, number)
    outcome = shifting.deploy()
    assert outcome.action == "updated"
    assert shifting.percents == [30, 60, 90, 100]
    assert shifting.serving == outcome.config
    assert shifting.is_clean()


@pytest.mark.parametrize("guard", [WEIGHTED, Guard()])
def test_another_version_takes_back_what_was_left_half_way(shifting: Shifting, guard: Guard) -> None:
    shifting.at(60, interrupt)
    with pytest.raises(KeyboardInterrupt):
        shifting.deploy()
    left = shifting.shift()
    outcome = shifting.deploy(shifting.hosting.register(), guard)
    assert any("A shift to version 2 was not finished: it is taken back first" in line for line in shifting.lines)
    updates = [each["EndpointConfigName"] for each in shifting.hosting.aws.asked("UpdateEndpoint")]
    assert updates[:2] == [left.config, shifting.first.config]
    assert shifting.serving == outcome.config
    assert outcome.config == updates[-1]


def test_while_it_is_paused_nothing_moves_and_the_alarms_are_watched(shifting: Shifting) -> None:
    looks = 0

    def resume_after_looking_on() -> None:
        nonlocal looks
        looks += 1
        if looks == 20:
            shifting.steer(RUNS)

    def pause() -> None:
        shifting.steer(PAUSED)
        shifting.metrics.look = resume_after_looking_on

    shifting.at(30, pause)
    shifting.deploy()
    assert looks >= 20
    assert shifting.percents == [30, 60, 90, 100]
    said = [line.strip() for line in shifting.lines]
    paused = said.index("Paused, 30% of the requests to the new version")
    assert said[paused + 1] == "Baking, 30% of the requests to the new version"


def test_an_alarm_ends_a_paused_shift(shifting: Shifting) -> None:
    def pause() -> None:
        shifting.steer(PAUSED)
        shifting.metrics.raised = "-latency"

    shifting.at(30, pause)
    with pytest.raises(RolledBack, match="-latency is in ALARM"):
        shifting.deploy()
    assert shifting.serving == shifting.first.config


def test_an_aborted_shift_goes_back_and_can_begin_anew(shifting: Shifting) -> None:
    shifting.at(30, lambda: shifting.steer(ABORTED))
    with pytest.raises(RolledBack, match="Aborted from the command line"):
        shifting.deploy()
    assert shifting.serving == shifting.first.config
    assert shifting.deploy().action == "updated"


def test_an_endpoint_that_is_deleted_meanwhile_ends_it(shifting: Shifting) -> None:
    shifting.at(30, lambda: shifting.hosting.endpoints.clear())
    with pytest.raises(DeploymentError, match="was deleted by someone else"):
        shifting.deploy()
    assert shifting.is_clean()
    assert list(shifting.hosting.configs) == [shifting.first.config]


def test_an_endpoint_that_somebody_else_changes_is_left_to_them(shifting: Shifting) -> None:
    shifting.at(30, lambda: shifting.hosting.endpoints[ENDPOINT].update(EndpointConfigName=shifting.first.config))
    with pytest.raises(DeploymentError, match=f"Somebody else has changed .* serves {shifting.first.config}"):
        shifting.deploy()
    assert shifting.percents == [30]
    assert shifting.is_clean()


def test_where_the_new_version_does_not_come_up_alone_the_old_one_serves(shifting: Shifting) -> None:
    shifting.at(100, lambda: setattr(shifting.hosting, "fail_next", "no room"))
    with pytest.raises(RolledBack, match=r"did not come up alone: no room\."):
        shifting.deploy()
    assert shifting.percents == [30, 60, 90, 100, 0]
    assert shifting.serving == shifting.first.config
    assert shifting.is_clean()


def test_what_a_shift_goes_back_to_is_not_retired(shifting: Shifting) -> None:
    shifting.at(30, interrupt)
    with pytest.raises(KeyboardInterrupt):
        shifting.deploy()
    kept = retire(shifting.hosting.sagemaker, ENDPOINT, keep=1).kept
    assert set(kept) == {shifting.first.config, shifting.shift().following}
    assert shifting.deploy().action == "updated"
