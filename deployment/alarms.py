"""The alarms that a deployment makes, sets and removes. They live as long as it does."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from deployment.errors import DeploymentError
from deployment.guard import ERRORS, GATE, LATENCY, Guard, alarm_name

CloudWatchClient = Any  # boto3's clients have no types of their own
ENDINGS = (ERRORS, LATENCY, GATE)


@dataclass(frozen=True)
class AlarmState:
    """An alarm as CloudWatch has it."""

    name: str
    state: str
    reason: str


class DeploymentAlarms:
    """The alarms of the deployment of one configuration to one endpoint."""

    def __init__(self, cloudwatch: CloudWatchClient, endpoint: str, config: str) -> None:
        self._cloudwatch = cloudwatch
        self._endpoint = endpoint
        self._config = config

    def create(self, guard: Guard) -> list[str]:
        """Make them, or set them to what the guard says; their names, for AutoRollbackConfiguration."""
        requests = guard.alarm_requests(self._endpoint, self._config)
        for request in requests:
            self._cloudwatch.put_metric_alarm(**request)
        for request in requests[-1:]:  # a gate that an earlier attempt has shut is open again
            self._cloudwatch.set_alarm_state(
                AlarmName=request["AlarmName"], StateValue="OK", StateReason="The deployment begins."
            )
        return [request["AlarmName"] for request in requests]

    def states(self) -> list[AlarmState]:
        """How those that there are stand."""
        found = self._cloudwatch.describe_alarms(AlarmNames=self._names())["MetricAlarms"]
        return [AlarmState(each["AlarmName"], each["StateValue"], each.get("StateReason", "")) for each in found]

    def roll_back(self, reason: str) -> None:
        """Shut the gate: SageMaker rolls back. DeploymentError where the update has no gate."""
        gate = alarm_name(self._config, GATE)
        if gate not in [each.name for each in self.states()]:
            raise DeploymentError(
                f"The update of {self._endpoint} to {self._config} has no alarms, and SageMaker has no operation that "
                "stops an update: wait for its end and roll back then."
            )
        self._cloudwatch.set_alarm_state(AlarmName=gate, StateValue="ALARM", StateReason=reason[:1023])

    def remove(self) -> None:
        """Delete those that there are."""
        names = [each.name for each in self.states()]
        if names:
            self._cloudwatch.delete_alarms(AlarmNames=names)

    def _names(self) -> Sequence[str]:
        return [alarm_name(self._config, kind) for kind in ENDINGS]
