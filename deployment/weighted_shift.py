"""Driving a weighted shift: the deployment itself moves the weights, step by step, and watches what comes of it.

All that it needs to go on is in SageMaker (deployment.live_shift), so that another process can when this one dies.
"""

import time
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from deployment.alarms import DeploymentAlarms
from deployment.endpoint import CHANGING, Announce, Waiting, describe_endpoint, uncontended, wait_until_settled
from deployment.errors import DeploymentError, Inconclusive, RolledBack
from deployment.fleet_metrics import FleetMetrics
from deployment.guard import WEIGHTED
from deployment.guarded_update import Guarding
from deployment.incident import Incident
from deployment.live_shift import LiveShift, control, forget_shifts, found_shift, steer, take_back
from deployment.packages import SageMakerClient
from deployment.specification import VARIANT, Specification
from deployment.watch import PhaseSeen
from deployment.weighted import (
    ABORTED,
    CANDIDATE,
    PAUSED,
    RUNS,
    ShiftConfig,
    is_shift,
    percent_of,
    shares,
    update_request,
    weights_request,
)


class WeightedShift:
    """The shift of one endpoint to a specification, from the configuration that it `serves`, which may be a shift's."""

    def __init__(
        self,
        sagemaker: SageMakerClient,
        wanted: Specification,
        guarding: Guarding,
        waiting: Waiting,
        announce: Announce,
        serves: str,
    ) -> None:
        self._sagemaker = sagemaker
        self._wanted = wanted
        self._guarding = guarding
        self._waiting = waiting
        self._announce = announce
        self._began = datetime.now(timezone.utc)
        self._phases: list[PhaseSeen] = []
        self._shift = found_shift(sagemaker, wanted.endpoint, serves) if is_shift(serves) else self._made(serves)
        config = self._shift.config
        self._alarms = DeploymentAlarms(guarding.clients, wanted.endpoint, config, CANDIDATE)
        self._new = self._metrics(CANDIDATE)

    @property
    def previous(self) -> str:
        """The configuration before the shift."""
        return self._shift.previous

    def run(self) -> None:
        """Bring all requests to the new version, which then serves alone.

        RolledBack or Inconclusive, with a page, where they go back to the old one. Any other error leaves the shift
        where it is, to be gone on with.
        """
        try:
            self._begin()
            self._check_golden()
            for percent in shares(self._guarding.guard.size[1] if self._guarding.guard.size else 100):
                self._step(percent)
            self._require_traffic()
            self._bake(self._guarding.guard.termination_wait_seconds, 100)
            self._finish()
        except RolledBack as reason:
            self._go_back(reason)

    def _made(self, serves: str) -> LiveShift:
        """The shift's configuration, made unless an attempt before has left it."""
        from botocore.exceptions import ClientError

        before = self._sagemaker.describe_endpoint_config(EndpointConfigName=serves)
        config = ShiftConfig(self._wanted, before)
        try:
            self._sagemaker.create_endpoint_config(**config.request())
        except ClientError as error:
            if "already exist" not in error.response["Error"].get("Message", ""):
                raise
        return found_shift(self._sagemaker, self._wanted.endpoint, config.name)

    def _begin(self) -> None:
        """Both versions serve, and the alarms are there: from the first request that the new one gets."""
        shift, guarding = self._shift, self._guarding
        golden = guarding.candidate
        self._alarms.create(guarding.guard, golden.model if golden is not None else None)
        description = self._settled()
        if description["EndpointConfigName"] == shift.config:
            self._announce(f"The shift to {shift.following} is under way already: it goes on")
            return
        steer(self._sagemaker, shift, RUNS)  # a shift that was aborted starts over
        self._phase("Creating", 0)
        uncontended(self._sagemaker.update_endpoint, **update_request(shift.endpoint, shift.config))
        description = self._settled()
        if description["EndpointConfigName"] != shift.config:
            raise RolledBack(f"The new version did not come up beside the old one: {_reason(description)}.")

    def _finish(self) -> None:
        """From the two variants to the new version alone."""
        wanted = self._wanted.config_name
        uncontended(self._sagemaker.update_endpoint, EndpointName=self._wanted.endpoint, EndpointConfigName=wanted)
        description = self._settled()
        if description["EndpointConfigName"] != wanted:
            raise RolledBack(f"The new version did not come up alone: {_reason(description)}.")

    def _check_golden(self) -> None:
        """Only the new version is asked, which need not have any of the clients' requests for that."""
        golden = self._guarding.candidate
        if golden is None:
            return
        while not golden.done:
            golden.send(alone=True)
        self._require_golden()

    def _require_golden(self) -> None:
        golden = self._guarding.candidate
        if golden is not None and golden.fault is not None:
            raise RolledBack(golden.fault)

    def _step(self, percent: int) -> None:
        """Unless the new version gets more already: so much, and then a while of looking at what comes of it."""
        now = percent_of(self._look()) or 0
        if now > percent:
            return
        if now < percent:
            self._wait_while_paused(now)
            self._phase("ActivatingTraffic", percent)
            self._sagemaker.update_endpoint_weights_and_capacities(**weights_request(self._wanted.endpoint, percent))
            self._settled()
        if self._guarding.candidate is not None:
            self._guarding.candidate.send_again()
            self._require_golden()
        self._bake(self._guarding.guard.wait_seconds, percent)

    def _bake(self, seconds: int, percent: int) -> None:
        """Look for so many seconds; time in which the shift is paused is not counted."""
        self._phase("Baking", percent)
        left = seconds / self._waiting.time_scale
        while left > 0:
            began = time.monotonic()
            self._look()
            paused = self._wait_while_paused(percent)
            time.sleep(min(left, self._waiting.poll_seconds))
            left -= time.monotonic() - began - paused

    def _wait_while_paused(self, percent: int) -> float:
        """How many seconds it was paused."""
        began = time.monotonic()
        if self._control() != PAUSED:
            return 0.0
        self._phase("Paused", percent)
        while self._control() == PAUSED:
            self._look()
            time.sleep(self._waiting.poll_seconds)
        self._phase("Baking", percent)
        return time.monotonic() - began

    def _control(self) -> str:
        wanted = control(self._sagemaker, self._shift)
        if wanted == ABORTED:
            raise RolledBack("Aborted from the command line.")
        return wanted

    def _look(self) -> Mapping[str, Any]:
        """The endpoint as it is; RolledBack where an alarm is raised."""
        description = describe_endpoint(self._sagemaker, self._wanted.endpoint)
        self._require_ours(description)
        raised = self._alarms.raised()
        if raised is not None:
            raise RolledBack(f"The alarm {raised.name} is in ALARM: {raised.reason}")
        return description or {}

    def _settled(self) -> Mapping[str, Any]:
        description = wait_until_settled(self._sagemaker, self._wanted.endpoint, self._waiting, self._announce)
        if description is None:
            raise _deleted(self._wanted.endpoint)
        return description

    def _require_ours(self, description: Mapping[str, Any] | None) -> None:
        if description is None:
            raise _deleted(self._wanted.endpoint)
        if description["EndpointConfigName"] != self._shift.config:
            raise DeploymentError(
                f"Somebody else has changed {self._wanted.endpoint} during the shift: it serves "
                f"{description['EndpointConfigName']}. Nothing more is shifted."
            )

    def _require_traffic(self) -> None:
        needed = self._guarding.guard.min_requests
        if not needed:
            return
        golden = self._guarding.candidate
        asked = max(0, self._new.requests() - (golden.asked if golden is not None else 0))
        if asked < needed:
            raise Inconclusive(
                f"The new version was asked {asked} times by clients, and {needed} are needed (min_requests) to tell "
                "whether it is good."
            )

    def _phase(self, status: str, percent: int) -> None:
        self._phases.append(PhaseSeen(time.time(), status, percent / 100))
        self._announce(f"           {status}, {percent}% of the requests to the new version")

    def _go_back(self, reason: RolledBack) -> None:
        self._announce(str(reason))
        self._phase("RollingBack", 0)
        take_back(self._sagemaker, self._shift, self._waiting, self._announce)
        series = [self._metrics(VARIANT).series("Invocations", "old"), *self._new.all()]
        incident = Incident(
            self._wanted.endpoint,
            self.previous,
            self._wanted.config_name,
            str(reason),
            self._phases,
            self._alarms.states(),
            series,
            self._guarding.metric_period,
        )
        page = self._guarding.keep(incident, self._announce)
        raise type(reason)(f"{reason} {self.previous} keeps serving. What happened: {page}") from None

    def _metrics(self, variant: str) -> FleetMetrics:
        guarding, shift = self._guarding, self._shift
        return FleetMetrics(
            guarding.clients.cloudwatch, shift.endpoint, shift.config, self._began, guarding.metric_period, variant
        )


def _deleted(endpoint: str) -> DeploymentError:
    return DeploymentError(f"Endpoint {endpoint} was deleted by someone else while it was being deployed.")


def _reason(description: Mapping[str, Any]) -> str:
    return str(description.get("FailureReason") or "SageMaker gave no reason").rstrip(".")


class Shifts:
    """The weighted shifts of an endpoint, as a deployment to a specification sees them."""

    def __init__(
        self,
        sagemaker: SageMakerClient,
        specification: Specification,
        guarding: Guarding | None,
        waiting: Waiting,
        announce: Announce,
    ) -> None:
        self._sagemaker = sagemaker
        self._specification = specification
        self._guarding = guarding
        self._waiting = waiting
        self._announce = announce

    @property
    def wanted(self) -> bool:
        """Whether this deployment is to be one."""
        return self._guarding is not None and self._guarding.guard.strategy == WEIGHTED

    def run(self, serves: str) -> str:
        """Shift from what serves; the configuration before all that. Errors are those of WeightedShift.run."""
        if self._guarding is None:
            raise RuntimeError("a deployment without a guard has no strategy")
        shift = WeightedShift(
            self._sagemaker, self._specification, self._guarding, self._waiting, self._announce, serves
        )
        try:
            shift.run()
        except DeploymentError:
            if not self.goes_on():
                self.forget()
            raise
        self.forget()
        return shift.previous

    def goes_on(self) -> bool:
        """Whether SageMaker is changing the endpoint."""
        description = describe_endpoint(self._sagemaker, self._specification.endpoint)
        return description is not None and description["EndpointStatus"] in CHANGING

    def only_ours(self, before: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        """The endpoint without a shift to something else that somebody has left half-way: it is taken back."""
        if before is None or not is_shift(before.get("EndpointConfigName")):
            return before
        endpoint = self._specification.endpoint
        shift = found_shift(self._sagemaker, endpoint, before["EndpointConfigName"])
        if self.wanted and shift.following == self._specification.config_name:
            return before
        self._announce(f"A shift to version {shift.version} was not finished: it is taken back first")
        take_back(self._sagemaker, shift, self._waiting, self._announce)
        if self._guarding is not None:
            forget_shifts(self._sagemaker, self._guarding.clients, endpoint)
        return wait_until_settled(self._sagemaker, endpoint, self._waiting, self._announce)

    def forget(self) -> bool:
        """Delete what shifts that are over have left, one that was cut off at its end among them; whether any had."""
        if self._guarding is None or not self.wanted:
            return False
        return forget_shifts(self._sagemaker, self._guarding.clients, self._specification.endpoint)
