"""An update under alarms, watched to its end; one that does not go through leaves a page."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from deployment.alarms import AlarmClients, DeploymentAlarms
from deployment.endpoint import Announce
from deployment.errors import DeploymentError, Inconclusive, RolledBack
from deployment.fleet_metrics import FleetMetrics, as_text
from deployment.golden import GoldenCheck
from deployment.guard import Guard
from deployment.incident import Incident
from deployment.specification import Specification
from deployment.watch import Watch


@dataclass(frozen=True)
class Guarding:
    """What an update is watched with; `incidents` is the folder of the pages on those that did not go through."""

    guard: Guard
    clients: AlarmClients
    golden: GoldenCheck | None = None
    candidate: GoldenCheck | None = None  # the same rows, sent to the new variant of a weighted shift
    incidents: Path = Path("reports/incidents")
    metric_period: int = 60

    def keep(self, incident: Incident, announce: Announce) -> Path:
        """Show what was measured, and write the page; its path."""
        for line in as_text(incident.series):
            announce(line)
        return incident.write(self.incidents)


class GuardedUpdate:
    """One update to a specification, begun at a moment."""

    def __init__(
        self,
        wanted: Specification,
        guarding: Guarding,
        alarms: DeploymentAlarms,
        began: datetime,
        announce: Announce,
        time_scale: float,
    ) -> None:
        self._wanted = wanted
        self._guarding = guarding
        self._alarms = alarms
        self._announce = announce
        self._new = self._metrics(wanted.config_name, began)
        self._began = began
        self._watch = Watch(
            guarding.guard, wanted.config_name, alarms, self._new, guarding.golden, announce, time_scale
        )

    def follow(self, previous: str, settle: Callable[[Watch], None], goes_on: Callable[[], bool]) -> None:
        """Watch it to its end: `settle` waits for that, and fails where the new version does not serve.

        RolledBack or Inconclusive, with an incident page, where `previous` keeps serving. Where the update still goes
        on, the fault of `settle` is raised as it is.
        """
        try:
            settle(self._watch)
        except DeploymentError as error:
            if goes_on():
                raise
            self._watch.went_back()
            found = self._watch.fault or self._watch.inconclusive or self._alarms.shut()
            series = [self._metrics(previous, self._began).series("Invocations", "old"), *self._new.all()]
            incident = Incident(
                self._wanted.endpoint,
                previous,
                self._wanted.config_name,
                found or str(error),
                self._watch.phases,
                self._alarms.states(),
                series,
                self._guarding.metric_period,
            )
            page = self._guarding.keep(incident, self._announce)
            self._alarms.remove()
            kind = Inconclusive if self._watch.inconclusive else RolledBack
            reason = f"{found} {previous} keeps serving." if found else str(error)  # which says what serves
            raise kind(f"{reason} What happened: {page}") from None

    def _metrics(self, config: str, since: datetime) -> FleetMetrics:
        guarding = self._guarding
        return FleetMetrics(guarding.clients.cloudwatch, self._wanted.endpoint, config, since, guarding.metric_period)
