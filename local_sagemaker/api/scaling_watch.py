"""What target tracking does: it follows the alarms of the policies and changes how many instances serve."""

import logging
import threading
import time
import uuid
from collections.abc import Callable

from local_sagemaker.api.scaling import MOST_ACTIVITIES, Resource, Scaling, resource_of
from local_sagemaker.clock import Clock
from local_sagemaker.errors import ServiceError
from local_sagemaker.metrics.statistics import statistic
from local_sagemaker.metrics.store import MetricName, MetricStore, dimensions_of
from local_sagemaker.metrics.target_tracking import HIGH, LOW, METRIC, NAMESPACE, PERIOD, Tracking, within
from local_sagemaker.moto_services.alarms import Alarms
from local_sagemaker.state.record_kinds import ENDPOINT, SCALABLE_TARGET, SCALING_POLICY
from local_sagemaker.state.records import Records
from local_sagemaker.wire.dispatch import Request

LOG = logging.getLogger("local_sagemaker.scaling")
LOOK_SECONDS = 0.25
Resize = Callable[[str, str, int], None]  # an endpoint's variant to a number of instances


class ScalingWatch:
    """Looks at every scalable target in a thread of its own; the time scale shortens periods and cooldowns."""

    def __init__(
        self, records: Records, scaling: Scaling, alarms: Alarms, metrics: MetricStore, clock: Clock, resize: Resize
    ) -> None:
        self._records = records
        self._scaling = scaling
        self._alarms = alarms
        self._metrics = metrics
        self._clock = clock
        self._resize = resize
        self._closed = threading.Event()
        self._scaled: dict[str, float] = {}  # when a target was last scaled, on this clock
        self._zero: dict[str, float] = {}  # when a zero is due for a target

    def start(self) -> None:
        """Begin to look."""
        threading.Thread(target=self._watch, name="scaling", daemon=True).start()

    def close(self) -> None:
        """Scale nothing any more."""
        self._closed.set()

    def _watch(self) -> None:
        while not self._closed.wait(LOOK_SECONDS):
            for target in self._records.all(SCALABLE_TARGET):
                try:
                    self._look(target)
                except Exception:  # a thread that ends scales nothing any more
                    LOG.exception("%s could not be scaled", target["ResourceId"])

    def _look(self, target: Request) -> None:
        resource = resource_of(target)
        endpoint = self._records.get(ENDPOINT, resource.endpoint)
        if endpoint is None:
            self._scaling.forget(target["ResourceId"], target["Region"])
            return
        self._emit_zero(target["ResourceId"], resource)
        variants = {each["VariantName"]: each for each in endpoint.get("Serving", {}).get("Variants", [])}
        if endpoint["EndpointStatus"] != "InService" or resource.variant not in variants:
            return  # scaling waits for the end of an update
        current = int(variants[resource.variant]["InstanceCount"])
        low, high = int(target["MinCapacity"]), int(target["MaxCapacity"])
        if not low <= current <= high:
            bound, number = ("minimum", low) if current < low else ("maximum", high)
            self._scale(target, resource, current, number, f"{bound} capacity was set to {number}")
            return
        for policy in self._records.all(SCALING_POLICY):
            if policy["ResourceId"] == target["ResourceId"]:
                self._follow(target, resource, policy, current)

    def _follow(self, target: Request, resource: Resource, policy: Request, current: int) -> None:
        tracking = Tracking.of(policy["TargetTrackingScalingPolicyConfiguration"])
        suspended = target["SuspendedState"]
        for kind, alarm in zip((HIGH, LOW), policy["Alarms"], strict=True):
            if not self._alarms.in_alarm(target["Region"], alarm["AlarmName"]):
                continue
            if suspended.get(f"DynamicScaling{'Out' if kind == HIGH else 'In'}Suspended"):
                continue
            if kind == LOW and not tracking.scales_in:
                continue
            cooldown = self._clock.seconds(tracking.out_cooldown if kind == HIGH else tracking.in_cooldown)
            if time.monotonic() < self._scaled.get(target["ResourceId"], -cooldown) + cooldown:
                continue
            number = within(
                tracking.wanted(kind, current, self._measured(resource)), target["MinCapacity"], target["MaxCapacity"]
            )
            if number != current:
                cause = f"monitor alarm {alarm['AlarmName']} in state ALARM triggered policy {policy['PolicyName']}"
                self._scale(target, resource, current, number, cause)
                return

    def _scale(self, target: Request, resource: Resource, current: int, number: int, cause: str) -> None:
        began = time.time()
        activity = {
            "ActivityId": str(uuid.uuid4()),
            **{key: target[key] for key in ("ServiceNamespace", "ResourceId", "ScalableDimension")},
            "Description": f"Setting desired instance count to {number}.",
            "Cause": cause,
            "StartTime": began,
        }
        try:
            self._resize(resource.endpoint, resource.variant, number)
        except ServiceError as refused:
            done = {"StatusCode": "Failed", "StatusMessage": f"Failed to set desired instance count: {refused}"}
        else:
            done = {
                "StatusCode": "Successful",
                "StatusMessage": f"Successfully set desired instance count to {number}. Change successfully fulfilled "
                "by sagemaker.",
            }
        self._scaled[target["ResourceId"]] = time.monotonic()
        LOG.info("%s from %d to %d: %s (%s)", target["ResourceId"], current, number, cause, done["StatusCode"])
        activities = [{**activity, **done, "EndTime": time.time()}, *target.get("Activities", [])][:MOST_ACTIVITIES]
        with self._records.lock:
            if self._records.get(SCALABLE_TARGET, target["ResourceId"]) is not None:
                self._records.update(SCALABLE_TARGET, target["ResourceId"], {"Activities": activities})

    def _measured(self, resource: Resource) -> float:
        """The metric of the last minute."""
        end = time.time()
        start = end - self._clock.seconds(PERIOD)
        return statistic("Sum", self._metrics.points(_metric(resource), start, end)) or 0.0

    def _emit_zero(self, name: str, resource: Resource) -> None:
        """A variant without traffic has a zero each minute, by which it is scaled in."""
        now = time.monotonic()
        if now >= self._zero.get(name, 0.0):
            self._zero[name] = now + self._clock.seconds(PERIOD) / 2
            self._metrics.add(_metric(resource), 0.0, "None")


def _metric(resource: Resource) -> MetricName:
    return MetricName(NAMESPACE, METRIC, dimensions_of(resource.dimensions))
