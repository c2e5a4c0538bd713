"""Alarms that are really evaluated: moto keeps them, their states follow from the metrics.

An alarm of a period of a minute or more is looked at each minute, as in CloudWatch; the time scale shortens both.
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timezone
from typing import Any, NamedTuple

from local_sagemaker.clock import Clock
from local_sagemaker.metrics.alarms import ALARM, Rule, judge
from local_sagemaker.metrics.composite import holds
from local_sagemaker.metrics.expressions import value_of
from local_sagemaker.metrics.statistics import statistic
from local_sagemaker.metrics.store import MetricName, Point, dimensions_of

LOG = logging.getLogger("local_sagemaker.moto_services.control_plane")
MINUTE = 60.0
LOOK_SECONDS = 0.05
Points = Callable[[str, MetricName, float, float], list[Point]]  # of a region's metric between two moments
Saving = Callable[[str], AbstractContextManager[None]]
SendEvent = Callable[[str, dict[str, Any]], None]


class Call(NamedTuple):
    """An alarm whose state calls for an action: its threshold, and the datapoints that it was judged by."""

    alarm: str
    threshold: float
    datapoints: Sequence[float]


class Alarms:
    """Evaluates the alarms of every region in a thread of its own, and remembers which were raised when."""

    def __init__(self, account: str, points: Points, clock: Clock, saving: Saving, send_event: SendEvent) -> None:
        self._account = account
        self._points = points
        self._clock = clock
        self._saving = saving
        self._send_event = send_event
        self._closed = threading.Event()
        self._due: dict[tuple[str, str], float] = {}  # (region, alarm): when it is looked at next, on this clock
        self._raised: dict[tuple[str, str], float] = {}  # when an alarm last went into ALARM, seconds since 1970

    def start(self) -> None:
        """Begin to look."""
        threading.Thread(target=self._watch, name="alarms", daemon=True).start()

    def close(self) -> None:
        """Look at no alarm any more."""
        self._closed.set()

    def missing(self, region: str, names: tuple[str, ...]) -> list[str]:
        """Those of the names that have no alarm."""
        return [name for name in names if name not in self._backend(region).alarms]

    def raised(self, region: str, names: tuple[str, ...], since: float) -> str | None:
        """The first of these alarms that is in ALARM, or has been since a moment; None where none is."""
        alarms = self._backend(region).alarms
        for name in names:
            now = alarms[name].state_value if name in alarms else ""
            if now == ALARM or self._raised.get((region, name), 0.0) >= since:
                return name
        return None

    def in_alarm(self, region: str, name: str) -> bool:
        """Whether an alarm is there, and in ALARM."""
        alarm = self._backend(region).alarms.get(name)
        return alarm is not None and alarm.state_value == ALARM

    def naming(self, region: str, action: str) -> list[Any]:
        """moto's alarms that name an action, in whichever state."""
        found = list(self._backend(region).alarms.values())
        return [
            each
            for each in found
            if any(action in (of or []) for of in (each.alarm_actions, each.ok_actions, each.insufficient_data_actions))
        ]

    def calling(self, region: str, action: str) -> list[Call]:
        """The alarms that call for an action as long as they stay in the state that they are in."""
        calling = [each for each in self.naming(region, action) if each.actions_enabled and action in _actions(each)]
        return [self._call(region, each) for each in calling if each.rule is None]

    def put(self, region: str, request: Mapping[str, Any]) -> None:
        """Make an alarm of another service: PutMetricAlarm's request, of one metric."""
        with self._saving("cloudwatch"):
            self._backend(region).put_metric_alarm(
                name=request["AlarmName"],
                namespace=request["Namespace"],
                metric_name=request["MetricName"],
                comparison_operator=request["ComparisonOperator"],
                evaluation_periods=request["EvaluationPeriods"],
                period=request["Period"],
                threshold=request["Threshold"],
                statistic=request["Statistic"],
                description=request["AlarmDescription"],
                dimensions=request["Dimensions"],
                alarm_actions=request["AlarmActions"],
                treat_missing_data=request["TreatMissingData"],
            )

    def remove(self, region: str, names: Sequence[str]) -> None:
        """Delete alarms, those that there are."""
        with self._saving("cloudwatch"):
            self._backend(region).delete_alarms(list(names))

    def set_state(self, region: str, name: str, state: str, reason: str, reason_data: str | None = None) -> None:
        """Change an alarm's state and tell of it, where it is another state; the caller saves."""
        alarm = self._backend(region).alarms[name]
        before = {"value": alarm.state_value, "reason": alarm.state_reason, "timestamp": _text(time.time())}
        if state == alarm.state_value:
            return
        alarm.update_state(reason, reason_data or "{}", state)
        if state == ALARM:
            self._raised[region, name] = time.time()
        LOG.info("the alarm %s is %s (it was %s): %s", name, state, before["value"], reason)
        self._tell(region, alarm, before)

    def _watch(self) -> None:
        while not self._closed.wait(LOOK_SECONDS):
            for region, backend in self._backends():
                due = [alarm for alarm in list(backend.alarms.values()) if self._is_due(region, alarm)]
                try:
                    self._evaluate(region, backend, due)
                except Exception:  # a thread that ends evaluates no alarm any more
                    LOG.exception("the alarms %s could not be evaluated", ", ".join(alarm.name for alarm in due))

    def _evaluate(self, region: str, backend: Any, due: Sequence[Any]) -> None:
        verdicts = {alarm.name: self._verdict(region, alarm) for alarm in due}
        changed = {
            name: verdict
            for name, verdict in verdicts.items()
            if name in backend.alarms and verdict[0] != backend.alarms[name].state_value
        }
        if changed:
            with self._saving("cloudwatch"):
                for name, (state, reason) in changed.items():
                    if name in backend.alarms:
                        self.set_state(region, name, state, reason)

    def _is_due(self, region: str, alarm: Any) -> bool:
        now, key = time.monotonic(), (region, alarm.name)
        every = self._clock.seconds(min(MINUTE, _period(alarm)))
        if key not in self._due:  # a new alarm waits for its first minute
            self._due[key] = now + every
        if now < self._due[key]:
            return False
        self._due[key] = max(now, self._due[key] + every)
        return True

    def _verdict(self, region: str, alarm: Any) -> tuple[str, str]:
        if alarm.rule is not None:
            states = {each.name: each.state_value for each in self._backend(region).alarms.values()}
            states.update({each.alarm_arn: each.state_value for each in self._backend(region).alarms.values()})
            value = holds(alarm.rule, states)
            return ("ALARM" if value else "OK"), f"The alarm rule {alarm.rule} is {'true' if value else 'false'}."
        verdict = judge(_rule(alarm), self._recent(region, alarm), alarm.state_value)
        return verdict.state, verdict.reason

    def _call(self, region: str, alarm: Any) -> Call:
        known = [value for value in self._recent(region, alarm) if value is not None]
        return Call(alarm.name, float(alarm.threshold), known[-int(alarm.evaluation_periods) :])

    def _recent(self, region: str, alarm: Any) -> list[float | None]:
        """The datapoints that an alarm is judged by, oldest first; None for a period without values."""
        end, length = time.time(), self._clock.seconds(_period(alarm))
        windows = [(end - length * (n + 1), end - length * n) for n in reversed(range(_rule(alarm).looked_at))]
        return [self._datapoint(region, alarm, start, stop) for start, stop in windows]

    def _datapoint(self, region: str, alarm: Any, start: float, end: float) -> float | None:
        if not alarm.metric_data_queries:
            name = MetricName(alarm.namespace, alarm.metric_name, _dimensions(alarm.dimensions))
            return statistic(alarm.extended_statistic or alarm.statistic, self._points(region, name, start, end))
        values: dict[str, float | None] = {}
        for query in alarm.metric_data_queries:
            if query.metric_stat is not None:
                metric = query.metric_stat.metric
                name = MetricName(metric.namespace, metric.metric_name, _dimensions(metric.dimensions))
                values[query.id] = statistic(query.metric_stat.stat, self._points(region, name, start, end))
        for query in alarm.metric_data_queries:
            if query.expression:
                values[query.id] = value_of(query.expression, values)
        return values[_returned(alarm)]

    def _tell(self, region: str, alarm: Any, before: Mapping[str, Any]) -> None:
        state = {"value": alarm.state_value, "reason": alarm.state_reason, "timestamp": _text(time.time())}
        detail = {
            "alarmName": alarm.name,
            "state": state,
            "previousState": before,
            "configuration": {"description": alarm.description or "", "metrics": _metrics(alarm)},
        }
        event = {
            "Source": "aws.cloudwatch",
            "DetailType": "CloudWatch Alarm State Change",
            "Resources": [alarm.alarm_arn],
            "Detail": json.dumps(detail),
        }
        self._send_event(region, event)
        if alarm.actions_enabled:
            self._notify(region, alarm, before["value"])

    def _notify(self, region: str, alarm: Any, before: str) -> None:
        """Publish to the topics of SNS that the alarm names; a scaling policy looks for itself."""
        from moto.sns.models import sns_backends

        message = {
            "AlarmName": alarm.name,
            "AlarmDescription": alarm.description,
            "AWSAccountId": self._account,
            "NewStateValue": alarm.state_value,
            "NewStateReason": alarm.state_reason,
            "StateChangeTime": _text(time.time()),
            "OldStateValue": before,
            "AlarmArn": alarm.alarm_arn,
        }
        for topic in (each for each in _actions(alarm) if ":scalingPolicy:" not in each):
            try:
                sns_backends[self._account][region].publish(
                    json.dumps(message), arn=topic, subject=f'{alarm.state_value}: "{alarm.name}"'[:100]
                )
            except Exception as error:  # a topic that is gone keeps nobody
                LOG.warning("the alarm %s could not notify %s: %s", alarm.name, topic, error)

    def _backend(self, region: str) -> Any:
        from moto.cloudwatch.models import cloudwatch_backends

        return cloudwatch_backends[self._account][region]

    def _backends(self) -> list[tuple[str, Any]]:
        from moto.cloudwatch.models import cloudwatch_backends

        return [(region, backend) for _, region, backend in list(cloudwatch_backends.iter_backends())]


def _actions(alarm: Any) -> Sequence[str]:
    """What an alarm does in the state that it is in."""
    by_state = {"ALARM": alarm.alarm_actions, "OK": alarm.ok_actions}
    return by_state.get(alarm.state_value, alarm.insufficient_data_actions) or []


def _rule(alarm: Any) -> Rule:
    periods = int(alarm.evaluation_periods)
    return Rule(
        alarm.comparison_operator,
        float(alarm.threshold),
        periods,
        int(alarm.datapoints_to_alarm or periods),
        alarm.treat_missing_data or "missing",
    )


def _period(alarm: Any) -> float:
    if alarm.rule is not None:
        return 10.0  # a composite alarm follows its alarms at once on AWS
    if alarm.metric_data_queries:
        return float(max(int(query.metric_stat.period) for query in alarm.metric_data_queries if query.metric_stat))
    return float(alarm.period)


def _returned(alarm: Any) -> str:
    """The id of the query whose values the alarm is about."""
    returned = [query.id for query in alarm.metric_data_queries if query.return_data is not False]
    return str(returned[0])


def _dimensions(dimensions: Any) -> tuple[tuple[str, str], ...]:
    return dimensions_of({dimension.name: dimension.value for dimension in dimensions})


def _metrics(alarm: Any) -> list[dict[str, Any]]:
    if alarm.metric_name is None:
        return []
    metric = {
        "namespace": alarm.namespace,
        "name": alarm.metric_name,
        "dimensions": {dimension.name: dimension.value for dimension in alarm.dimensions},
    }
    stat = alarm.extended_statistic or alarm.statistic
    return [{"id": "m1", "metricStat": {"metric": metric, "period": alarm.period, "stat": stat}, "returnData": True}]


def _text(moment: float) -> str:
    return datetime.fromtimestamp(moment, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"
