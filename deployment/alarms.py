"""The alarms that a deployment makes, sets and removes, with what they measure. They live as long as it does."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from deployment.errors import DeploymentError
from deployment.guard import ERRORS, GATE, INVALID, LATENCY, Guard, alarm_name
from deployment.invalid_predictions import put_filter, remove_filter
from deployment.specification import VARIANT

ENDINGS = (ERRORS, LATENCY, INVALID, GATE)
IN_ALARM = "ALARM"


@dataclass(frozen=True)
class AlarmClients:
    """boto3's clients of CloudWatch and CloudWatch Logs, which have no types of their own."""

    cloudwatch: Any
    logs: Any


@dataclass(frozen=True)
class AlarmState:
    """An alarm as CloudWatch has it."""

    name: str
    state: str
    reason: str


class DeploymentAlarms:
    """The alarms of the deployment of one configuration to one endpoint, and of which of its variants."""

    def __init__(self, clients: AlarmClients, endpoint: str, config: str, variant: str = VARIANT) -> None:
        self._cloudwatch = clients.cloudwatch
        self._logs = clients.logs
        self._endpoint = endpoint
        self._config = config
        self._variant = variant

    def create(self, guard: Guard, model: str | None = None) -> list[str]:
        """Make them, or set them to what the guard says; their names, for AutoRollbackConfiguration.

        `model` is the identity of the new model, where it is known that its server logs invalid predictions.
        """
        counted = model is not None and guard.limits is not None
        requests = guard.alarm_requests(self._endpoint, self._config, self._variant, counts_invalid=counted)
        for request in requests:
            self._cloudwatch.put_metric_alarm(**request)
        if counted:  # after its alarm, and removed before it: where there is no alarm there is no filter
            put_filter(self._logs, self._endpoint, self._config, str(model))
        names = [str(request["AlarmName"]) for request in requests]
        gate = alarm_name(self._config, GATE)
        if gate in names:  # one that an earlier attempt has shut is open again
            self._cloudwatch.set_alarm_state(AlarmName=gate, StateValue="OK", StateReason="The deployment begins.")
        return names

    def states(self) -> list[AlarmState]:
        """How those that there are stand."""
        found = self._cloudwatch.describe_alarms(AlarmNames=self._names())["MetricAlarms"]
        return [AlarmState(each["AlarmName"], each["StateValue"], each.get("StateReason", "")) for each in found]

    def raised(self) -> AlarmState | None:
        """One that is in ALARM; None where none is."""
        return next((each for each in self.states() if each.state == IN_ALARM), None)

    def shut(self) -> str | None:
        """Why the gate was shut, by `roll_back` here or in another process; None where it was not."""
        gate = alarm_name(self._config, GATE)
        return next((each.reason for each in self.states() if each.name == gate and each.state == IN_ALARM), None)

    def roll_back(self, reason: str) -> None:
        """Shut the gate: SageMaker rolls back. DeploymentError where the update has no gate."""
        gate = alarm_name(self._config, GATE)
        if gate not in [each.name for each in self.states()]:
            raise DeploymentError(
                f"The update of {self._endpoint} to {self._config} has no alarms, and SageMaker has no operation that "
                "stops an update: wait for its end and roll back then."
            )
        self._cloudwatch.set_alarm_state(AlarmName=gate, StateValue=IN_ALARM, StateReason=reason[:1023])

    def remove(self) -> None:
        """Delete those that there are, and the metric filter."""
        names = [each.name for each in self.states()]
        if names:
            remove_filter(self._logs, self._endpoint, self._config)
            self._cloudwatch.delete_alarms(AlarmNames=names)

    def _names(self) -> Sequence[str]:
        return [alarm_name(self._config, kind) for kind in ENDINGS]
