"""What scaling policies do: the alarms that call them are followed, and the number of instances is changed."""

import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from typing import NamedTuple

from local_sagemaker.api.scaling import MOST_ACTIVITIES, Resource, Scaling, resource_of
from local_sagemaker.api.scaling_policies import FIELDS, STEPS
from local_sagemaker.clock import Clock
from local_sagemaker.errors import ServiceError
from local_sagemaker.metrics.statistics import statistic
from local_sagemaker.metrics.step_scaling import StepScaling
from local_sagemaker.metrics.store import MetricName, MetricStore, Point, dimensions_of
from local_sagemaker.metrics.target_tracking import HIGH, LOW, METRIC, NAMESPACE, PERIOD, Tracked, Tracking, within
from local_sagemaker.moto_services.alarms import Alarms, Call
from local_sagemaker.state.record_kinds import ENDPOINT, SCALABLE_TARGET, SCALING_POLICY
from local_sagemaker.state.records import Records
from local_sagemaker.wire.dispatch import Request

LOG = logging.getLogger("local_sagemaker.scaling")
LOOK_SECONDS = 0.25
Asked = tuple[int, str, float, float]  # instances, the alarm that called, the cooldowns out and in (seconds)
Resize = Callable[[str, str, int], None]  # an endpoint's variant to a number of instances
Points = Callable[[str, MetricName, float, float], list[Point]]  # of a region's metric between two moments


class Proposal(NamedTuple):
    """How many instances a policy asks for, and the alarm that called it; `tracks` is its kind."""

    number: int
    cause: str
    tracks: bool


class ScalingWatch:
    """Looks at every scalable target in a thread of its own; the time scale shortens periods and cooldowns."""

    def __init__(
        self,
        records: Records,
        scaling: Scaling,
        alarms: Alarms,
        metrics: MetricStore,
        points: Points,
        clock: Clock,
        resize: Resize,
    ) -> None:
        self._records = records
        self._scaling = scaling
        self._alarms = alarms
        self._metrics = metrics
        self._points = points
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
        policies = [each for each in self._records.all(SCALING_POLICY) if each["ResourceId"] == target["ResourceId"]]
        proposals = [found for each in policies for found in self._proposals(target, resource, each, current)]
        tracking = sum(each["PolicyType"] != STEPS and _scales_in(each) for each in policies)
        chosen = choose(proposals, current, tracking)
        if chosen is not None:
            self._scale(target, resource, current, chosen.number, chosen.cause)

    def _proposals(self, target: Request, resource: Resource, policy: Request, current: int) -> Iterator[Proposal]:
        """What a policy asks for, within the target's range and outside of its cooldown."""
        suspended = target["SuspendedState"]
        asked = self._stepped if policy["PolicyType"] == STEPS else self._tracked
        for number, alarm, out_cooldown, in_cooldown in asked(target, resource, policy, current):
            number = within(number, target["MinCapacity"], target["MaxCapacity"])
            if number == current or suspended.get(f"DynamicScaling{'Out' if number > current else 'In'}Suspended"):
                continue
            cooldown = self._clock.seconds(out_cooldown if number > current else in_cooldown)
            if time.monotonic() >= self._scaled.get(target["ResourceId"], -cooldown) + cooldown:
                cause = f"monitor alarm {alarm} in state ALARM triggered policy {policy['PolicyName']}"
                yield Proposal(number, cause, policy["PolicyType"] != STEPS)

    def _tracked(self, target: Request, resource: Resource, policy: Request, current: int) -> Iterator[Asked]:
        configuration = policy[FIELDS[policy["PolicyType"]]]
        tracking, tracked = Tracking.of(configuration), Tracked.of(configuration, resource.dimensions)
        for kind, alarm in zip((HIGH, LOW), policy["Alarms"], strict=True):
            if not self._alarms.in_alarm(target["Region"], alarm["AlarmName"]) or (
                kind == LOW and not tracking.scales_in
            ):
                continue
            measured = self._measured(target["Region"], tracked)
            if measured is not None:
                number = tracking.wanted(kind, current, measured)
                yield number, alarm["AlarmName"], tracking.out_cooldown, tracking.in_cooldown

    def _stepped(self, target: Request, _: Resource, policy: Request, current: int) -> Iterator[Asked]:
        configuration = policy[FIELDS[STEPS]]
        steps = StepScaling.of(configuration)
        for call in self._alarms.calling(target["Region"], policy["PolicyARN"]):
            number = steps.wanted(current, _beyond(call, configuration.get("MetricAggregationType", "Average")))
            yield number, call.alarm, steps.cooldown, steps.cooldown

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

    def _measured(self, region: str, tracked: Tracked) -> float | None:
        """The metric of the last minute; None where nothing is known of it."""
        end = time.time()
        start = end - self._clock.seconds(PERIOD)
        return statistic(tracked.statistic, self._points(region, tracked.metric, start, end))

    def _emit_zero(self, name: str, resource: Resource) -> None:
        """A variant without traffic has a zero each minute, by which it is scaled in."""
        now = time.monotonic()
        if now >= self._zero.get(name, 0.0):
            self._zero[name] = now + self._clock.seconds(PERIOD) / 2
            self._metrics.add(MetricName(NAMESPACE, METRIC, dimensions_of(resource.dimensions)), 0.0, "None")


def choose(proposals: list[Proposal], current: int, tracking: int) -> Proposal | None:
    """The proposal that is followed; None where nothing is to be done.

    The one with the most instances; policies that track, of which `tracking` may scale in, scale in all together only:
    https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html
    """
    more = [each for each in proposals if each.number > current]
    fewer = [each for each in proposals if each.number < current]
    if sum(each.tracks for each in fewer) < tracking:
        fewer = [each for each in fewer if not each.tracks]
    return max(more or fewer, key=lambda each: each.number, default=None)


def _scales_in(policy: Request) -> bool:
    return Tracking.of(policy[FIELDS[policy["PolicyType"]]]).scales_in


def _beyond(call: Call, aggregation: str) -> float:
    """How far the metric of an alarm is beyond its threshold; 0 where nothing is known of the metric."""
    if not call.datapoints:
        return 0.0
    by_name = {"Minimum": min, "Maximum": max}
    value = (
        by_name[aggregation](call.datapoints) if aggregation in by_name else sum(call.datapoints) / len(call.datapoints)
    )
    return value - call.threshold
