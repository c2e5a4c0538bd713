"""Watching an update that SageMaker makes: its phases, golden rows while it bakes, and whether enough was asked.

What is found out here makes SageMaker roll back by the deployment's own alarm: it has no other way to be stopped.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from deployment.alarms import DeploymentAlarms
from deployment.endpoint import Announce
from deployment.fleet_metrics import FleetMetrics
from deployment.golden import GoldenCheck
from deployment.guard import Guard

MARGIN_SHARE = 0.1  # of the last baking, before whose end it is decided whether enough was asked
LEAST_MARGIN_SECONDS = 30.0  # CloudWatch and the alarm's state need their time


@dataclass(frozen=True)
class PhaseSeen:
    """A phase of the update, when it was first seen (seconds since 1970), and the new fleet's share of requests."""

    moment: float
    status: str
    share: float


class Watch:
    """Looks at the descriptions of an endpoint that is updated to a configuration; `phases` is what was seen."""

    def __init__(
        self,
        guard: Guard,
        config: str,
        alarms: DeploymentAlarms,
        metrics: FleetMetrics,
        golden: GoldenCheck | None,
        announce: Announce,
        time_scale: float = 1.0,
    ) -> None:
        self.phases: list[PhaseSeen] = []
        self.fault: str | None = None
        self.inconclusive: str | None = None
        self._guard = guard
        self._config = config
        self._alarms = alarms
        self._metrics = metrics
        self._golden = golden
        self._announce = announce
        self._scale = time_scale

    def look(self, description: Mapping[str, Any]) -> None:
        """What DescribeEndpoint says while the endpoint changes."""
        pending = description.get("PendingDeploymentSummary", {})
        variants = pending.get("ProductionVariants", [])
        if pending.get("EndpointConfigName") != self._config or not variants:
            return
        phase = self._note(description["EndpointStatus"], variants[0])
        if phase.status != "Baking" or self.fault or self.inconclusive or not self._guard.limits:
            return
        if self._golden is not None and not self._golden.done:
            self._golden.send(alone=phase.share >= 1)
            if self._golden.fault is not None:
                self.fault = self._golden.fault
                self._roll_back(self.fault)
                return
        if phase.share >= 1 and self._ends_soon(variants[0]):
            self._require_traffic()

    def went_back(self) -> None:
        """The service has brought the requests back: mostly that was seen, but it may have been too quick for that."""
        if any(phase.share for phase in self.phases) and self.phases[-1].status != "RollingBack":
            self.phases.append(PhaseSeen(time.time(), "RollingBack", 0.0))

    def _note(self, status: str, variant: Mapping[str, Any]) -> PhaseSeen:
        found = variant.get("VariantStatus") or [{"Status": "Creating"}]
        desired = variant.get("DesiredWeight") or 1.0
        share = float(variant.get("CurrentWeight", 0.0)) / desired
        name = status if status == "RollingBack" else found[0]["Status"]
        last = self.phases[-1] if self.phases else None
        phase = PhaseSeen(time.time(), name, share)
        if last is None or (last.status, last.share) != (name, share):
            self.phases.append(phase)
            self._announce(f"           {name}, {share:.0%} of the requests to the new fleet")
        return phase

    def _ends_soon(self, variant: Mapping[str, Any]) -> bool:
        began: datetime | None = variant["VariantStatus"][0].get("StartTime")
        if began is None:
            return False
        wait = self._guard.wait_seconds
        margin = max(wait * MARGIN_SHARE, min(LEAST_MARGIN_SECONDS, wait / 2)) / self._scale
        return time.time() >= began.timestamp() + wait / self._scale - margin

    def _require_traffic(self) -> None:
        if not self._guard.min_requests:
            return
        own = self._golden.asked if self._golden is not None else 0
        asked = max(0, self._metrics.requests() - own)
        if asked < self._guard.min_requests:
            self.inconclusive = (
                f"The new fleet was asked {asked} times by clients, and {self._guard.min_requests} are needed "
                "(min_requests) to tell whether it is good."
            )
            self._roll_back(self.inconclusive)

    def _roll_back(self, reason: str) -> None:
        self._announce(f"{reason} SageMaker is made to roll back.")
        self._alarms.roll_back(reason)
