"""What a deployment would send, how long it would take, and what it would cost beside what runs. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deployment.guard import WEIGHTED, Guard
from deployment.invalid_predictions import filter_name, filter_request
from deployment.scaling import Requests
from deployment.specification import VARIANT, Specification, tag_list
from deployment.weighted import CANDIDATE, ShiftConfig, shares, update_request, weights_request

HOUR = 3600.0


@dataclass(frozen=True)
class DeploymentPlan:
    """The requests in their order, as (operation, request).

    `first` where there is no endpoint yet; `serves` where it has this configuration already, and needs no update.
    `before` is the configuration that serves (DescribeEndpointConfig), `model` the identity of the new model, where its
    server logs invalid predictions.
    """

    wanted: Specification
    guard: Guard
    first: bool
    scaling: tuple[Requests, dict[str, Any], Requests] = ((), {}, ())  # before, with and after UpdateEndpoint
    serves: bool = False
    before: Mapping[str, Any] | None = None
    model: str | None = None

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
        if self.guard.strategy == WEIGHTED and self.before is not None:
            return self._shift(ShiftConfig(wanted, self.before))
        alarms, names, gone = self._alarms(wanted.config_name, VARIANT)
        update = {**change, "DeploymentConfig": self.guard.deployment_config(names)}
        return [*alarms, ("UpdateEndpoint", update), *gone]

    def _shift(self, config: ShiftConfig) -> list[tuple[str, dict[str, Any]]]:
        """To both variants, one weight after another, to the new version alone."""
        wanted, endpoint = self.wanted, self.wanted.endpoint
        alarms, _, gone = self._alarms(config.name, CANDIDATE)
        percents = shares(self.guard.size[1] if self.guard.size else 100)
        return [
            ("CreateEndpointConfig", config.request()),
            *alarms,
            ("UpdateEndpoint", update_request(endpoint, config.name)),
            *(("UpdateEndpointWeightsAndCapacities", weights_request(endpoint, percent)) for percent in percents),
            ("UpdateEndpoint", {"EndpointName": endpoint, "EndpointConfigName": wanted.config_name}),
            *gone,
            ("DeleteEndpointConfig", {"EndpointConfigName": config.name}),
        ]

    def _alarms(self, config: str, variant: str) -> tuple[Requests, list[str], Requests]:
        """What makes the alarms, their names, and what removes them."""
        wanted = self.wanted
        counts = self.model is not None and self.guard.limits is not None
        requests = self.guard.alarm_requests(wanted.endpoint, config, variant, counts_invalid=counts)
        names = [str(request["AlarmName"]) for request in requests]
        made: list[tuple[str, dict[str, Any]]] = [("PutMetricAlarm", request) for request in requests]
        gone: list[tuple[str, dict[str, Any]]] = [("DeleteAlarms", {"AlarmNames": names})] if names else []
        if counts:
            made.append(("PutMetricFilter", filter_request(wanted.endpoint, config, str(self.model))))
            gone.insert(0, ("DeleteMetricFilter", filter_name(wanted.endpoint, config)))
        return made, names, gone

    def sentences(self, wait_seconds: int, steps: int, price: float | None) -> list[str]:
        """How long it waits and which instances run beside the old ones; `price` is that of an instance and hour."""
        hosting = self.wanted.hosting
        if self.serves:
            return [f"{self.wanted.endpoint} already serves {self.wanted.config_name}: nothing else would be sent."]
        if self.first:
            return ["The endpoint is created: nothing is shifted, and no alarm is watched."]
        if self.guard.strategy == WEIGHTED:
            return self._shift_sentences(wait_seconds, steps, price)
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

    def _shift_sentences(self, wait_seconds: int, steps: int, price: float | None) -> list[str]:
        hosting = self.wanted.hosting
        extra = hosting.instance_count
        cost = "unknown" if price is None else f"${price * extra * wait_seconds / HOUR:,.2f}"
        return [
            f"weighted: {steps} step{'s' * (steps > 1)}, {wait_seconds} s of waiting beside the starts; the command "
            "itself takes the steps, and `pause` and `resume` stop and go on with them.",
            f"Meanwhile {extra} x {hosting.instance_type} more run than before; for the waits that costs {cost}. While "
            "the endpoint changes to the two variants, and to the new one alone, SageMaker starts a whole new fleet.",
        ]
