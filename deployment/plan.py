"""What a deployment would send, how long it would take, and what it would cost beside what runs. Pure."""

from dataclasses import dataclass
from typing import Any

from deployment.guard import Guard
from deployment.scaling import Requests
from deployment.specification import Specification, tag_list

HOUR = 3600.0


@dataclass(frozen=True)
class DeploymentPlan:
    """The requests in their order, as (operation, request).

    `first` where there is no endpoint yet; `serves` where it has this configuration already, and needs no update.
    """

    wanted: Specification
    guard: Guard
    first: bool
    scaling: tuple[Requests, dict[str, Any], Requests] = ((), {}, ())  # before, with and after UpdateEndpoint
    serves: bool = False

    def requests(self) -> list[tuple[str, dict[str, Any]]]:
        """Each request; what is there already is not made again."""
        before, retained, after = self.scaling
        if self.serves:
            return list(after)
        return [*self._made(), *before, *self._update(retained), *after]

    def _made(self) -> list[tuple[str, dict[str, Any]]]:
        wanted = self.wanted
        models = [("CreateModel", request) for request in wanted.model_requests()]
        return [*models, ("CreateEndpointConfig", wanted.config_request())]

    def _update(self, retained: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
        wanted = self.wanted
        change: dict[str, Any] = {"EndpointName": wanted.endpoint, "EndpointConfigName": wanted.config_name}
        if self.first:
            return [("CreateEndpoint", {**change, "Tags": tag_list(wanted.tags)})]
        change |= retained
        if self.guard.default:
            return [("UpdateEndpoint", change)]
        alarms = self.guard.alarm_requests(wanted.endpoint, wanted.config_name)
        names = [request["AlarmName"] for request in alarms]
        return [
            *(("PutMetricAlarm", request) for request in alarms),
            ("UpdateEndpoint", {**change, "DeploymentConfig": self.guard.deployment_config(names)}),
            *([("DeleteAlarms", {"AlarmNames": names})] if names else []),
        ]

    def sentences(self, wait_seconds: int, steps: int, price: float | None) -> list[str]:
        """How long it waits and which instances run beside the old ones; `price` is that of an instance and hour."""
        hosting = self.wanted.hosting
        if self.serves:
            return [f"{self.wanted.endpoint} already serves {self.wanted.config_name}: nothing else would be sent."]
        if self.first:
            return ["The endpoint is created: nothing is shifted, and no alarm is watched."]
        lines = [
            f"{self.guard.strategy}: {steps} step{'s' * (steps > 1)}, {wait_seconds} s of waiting beside the starts."
        ]
        if hosting.serverless is not None:
            return [*lines, "Serverless: no instance runs beside the old ones."]
        extra = hosting.instance_count
        if self.guard.strategy == "rolling" and self.guard.size is not None:
            kind, value = self.guard.size
            extra = value if kind == "INSTANCE_COUNT" else -(-extra * value // 100)
        cost = "unknown" if price is None else f"${price * extra * wait_seconds / HOUR:,.2f}"
        return [
            *lines,
            f"Meanwhile {extra} x {hosting.instance_type} more run than before; for the waits this costs {cost}.",
        ]
