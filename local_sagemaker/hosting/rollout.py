"""An update step by step: requests go to the new fleet, alarms are watched, and all goes back where one is raised."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from local_sagemaker.clock import Clock
from local_sagemaker.hosting.deployment import Deployment
from local_sagemaker.hosting.endpoint_host import EndpointHost, Route
from local_sagemaker.hosting.model_process import ModelFailedToStart
from local_sagemaker.hosting.rollout_plan import Counts, RolloutPlan

LOOK_SECONDS = 0.05  # between two looks at the alarms
Raised = Callable[[tuple[str, ...], float], str | None]  # from alarms' names and a moment to one raised since then


class RolledBack(Exception):
    """The old fleet serves again; the message says why."""


class Interrupted(Exception):
    """The server stops; what is not finished is undone when it starts again."""


@dataclass(frozen=True)
class Phase:
    """Where an update stands: a VariantStatus, the share of requests that go to the new fleet, and since when."""

    status: str
    share: float
    message: str
    since: float = field(default_factory=time.time)
    going_back: bool = False


class Rollout:
    """One update of one endpoint, from a deployment that serves to one whose processes have started."""

    def __init__(
        self,
        host: EndpointHost,
        endpoint: str,
        plan: RolloutPlan,
        clock: Clock,
        raised: Raised,
        tell: Callable[[Phase], None],
    ) -> None:
        self._host = host
        self._endpoint = endpoint
        self._plan = plan
        self._clock = clock
        self._raised = raised
        self._tell = tell

    def run(self, old: Deployment, new: Deployment, old_counts: Counts) -> None:
        """Shift to the new deployment and end the old one; RolledBack where the old one keeps serving instead.

        Alarms count from the beginning of the update on; what runs longer than the plan's limit goes back, too.
        Interrupted where the server stops.
        """
        began, deadline = time.time(), time.monotonic() + self._clock.seconds(self._plan.limit_seconds)
        try:
            self._shift(old, new, began, deadline)
            self._tell(Phase("Deleting", 1.0, "The old fleet is ended."))
            self._wait(self._plan.termination_seconds, deadline, lambda: None)
        except (RolledBack, ModelFailedToStart) as reason:
            if self._host.closed:
                raise Interrupted from None
            self._go_back(old, new, old_counts, str(reason))
            raise RolledBack(str(reason)) from None
        for left in self._host.route(self._endpoint, [Route(new, 1.0)]):
            left.retire()

    def _shift(self, old: Deployment, new: Deployment, began: float, deadline: float) -> None:
        for number, step in enumerate(self._plan.steps, start=1):
            where = f"step {number} of {len(self._plan.steps)}: {step.share:.0%} of the requests go to the new fleet"
            self._tell(Phase("ActivatingTraffic", step.share, where))
            new.resize(step.green)
            self._host.route(self._endpoint, [Route(old, 1 - step.share), Route(new, step.share)])
            self._tell(Phase("Baking", step.share, where))
            self._wait(self._plan.bake_seconds, deadline, lambda: self._check_alarms(began))
            if step.share < 1:
                old.resize(step.blue)

    def _check_alarms(self, began: float) -> None:
        name = self._raised(self._plan.alarms, began)
        if name is not None:
            raise RolledBack(f"The alarm {name} is in ALARM, and the endpoint was rolled back.")

    def _wait(self, seconds: int, deadline: float, check: Callable[[], None]) -> None:
        end = time.monotonic() + self._clock.seconds(seconds)
        while True:
            check()
            now = time.monotonic()
            if now >= deadline:
                raise RolledBack(
                    f"The update took longer than {self._plan.limit_seconds} s (MaximumExecutionTimeoutInSeconds), "
                    "and the endpoint was rolled back."
                )
            if self._host.closed:
                raise Interrupted
            if now >= end:
                return
            time.sleep(min(LOOK_SECONDS, end - now))

    def _go_back(self, old: Deployment, new: Deployment, old_counts: Counts, reason: str) -> None:
        """Bring the old capacity back, batch by batch, then its requests; then end the new fleet."""
        share = 0.0
        while share < 1:
            share = min(1.0, share + self._plan.rollback_share)
            self._tell(Phase("ActivatingTraffic", 1 - share, reason, going_back=True))
            counts = {name: max(round(share * count), fleet) for name, count, fleet in self._sizes(old, old_counts)}
            old.resize(counts)
            self._host.route(self._endpoint, [Route(old, share), Route(new, 1 - share)])
        for left in self._host.route(self._endpoint, [Route(old, 1.0)]):
            left.retire()

    def _sizes(self, old: Deployment, counts: Counts) -> list[tuple[str, int, int]]:
        sizes = {name: health.size for name, health in old.health().items()}
        return [(name, count, sizes[name]) for name, count in counts.items()]
