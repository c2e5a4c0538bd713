"""CloudWatch: moto answers, with the metrics of endpoints and jobs beside those that clients put, and percentiles."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from local_sagemaker.metrics.alarms import ALARM, INSUFFICIENT, OK
from local_sagemaker.metrics.expressions import ExpressionFault, ids_of, value_of
from local_sagemaker.metrics.statistics import statistic
from local_sagemaker.metrics.store import MetricName, MetricStore, Point, dimensions_of
from local_sagemaker.moto_services.alarm_checks import check_alarm, check_period, service_fault
from local_sagemaker.moto_services.alarms import Alarms
from local_sagemaker.moto_services.patches import put

STATES = (OK, ALARM, INSUFFICIENT)


class Metrics:
    """What was measured here, and what clients have put, which moto keeps."""

    def __init__(self, account: str, store: MetricStore) -> None:
        self._account = account
        self._store = store

    def points(self, region: str, metric: MetricName, start: float, end: float) -> list[Point]:
        """The points of one metric from `start` on and before `end`, oldest first."""
        theirs = [_point(datum) for datum in self._put(region) if _name_of(datum) == metric]
        found = [*self._store.points(metric, start, end), *(p for p in theirs if start <= p.moment < end)]
        return sorted(found, key=lambda point: point.moment)

    def unit(self, region: str, metric: MetricName) -> str:
        """The unit of a metric."""
        own = self._store.unit(metric)
        units = [datum.unit for datum in self._put(region) if _name_of(datum) == metric and datum.unit]
        return own or (units[0] if units else "None")

    def names(self, region: str) -> list[MetricName]:
        """Every metric."""
        return list(dict.fromkeys([*self._store.names(), *(_name_of(datum) for datum in self._put(region))]))

    def _put(self, region: str) -> Sequence[Any]:
        from moto.cloudwatch.models import cloudwatch_backends

        return list(cloudwatch_backends[self._account][region].metric_data)


class Queries:
    """What is asked of the metrics of one region."""

    def __init__(self, metrics: Metrics, region: str) -> None:
        self._metrics = metrics
        self._region = region

    def statistics(
        self,
        metric: MetricName,
        start: datetime,
        end: datetime,
        period: int,
        stats: Sequence[str],
        unit: str | None = None,
        extended: Sequence[str] = (),
    ) -> list[dict[str, Any]]:
        """The datapoints of GetMetricStatistics."""
        found_unit = self._metrics.unit(self._region, metric)
        if unit not in (None, found_unit):
            return []
        answer = []
        for moment, points in self._periods(metric, start, end, period):
            datapoint: dict[str, Any] = {"Timestamp": moment, "Unit": found_unit}
            datapoint.update({name: _statistic(name, points) for name in stats})
            known = {name: value for name in extended if (value := _statistic(name, points)) is not None}
            answer.append({**datapoint, "ExtendedStatistics": known} if known else datapoint)
        return answer

    def data(self, queries: Any, start: datetime, end: datetime, scan_by: str) -> list[dict[str, Any]]:
        """The results of GetMetricData."""
        if start >= end:
            raise service_fault("ValidationError", "The parameter StartTime must be less than the parameter EndTime.")
        measured = [query for query in queries if "MetricStat" in query]
        series = {query["Id"]: self._series(query["MetricStat"], start, end) for query in measured}
        for query in queries:
            if "Expression" in query:
                series[query["Id"]] = _computed(query["Expression"], series)
        return [
            {"id": query["Id"], "label": query.get("Label") or query["Id"], "status_code": "Complete", **values}
            for query in queries
            if query.get("ReturnData", True)
            for values in [_ordered(series[query["Id"]], scan_by == "TimestampDescending")]
        ]

    def _series(self, stat: Any, start: datetime, end: datetime) -> dict[datetime, float]:
        asked = stat["Metric"]
        metric = MetricName(asked["Namespace"], asked["MetricName"], _named(asked.get("Dimensions", [])))
        periods = self._periods(metric, start, end, int(stat["Period"]))
        found = {moment: _statistic(stat["Stat"], points) for moment, points in periods}
        return {moment: value for moment, value in found.items() if value is not None}

    def _periods(
        self, metric: MetricName, start: datetime, end: datetime, period: int
    ) -> list[tuple[datetime, list[Point]]]:
        """The points of each period that has some, with its beginning; periods begin at multiples of themselves."""
        check_period("The query", period)
        groups: dict[float, list[Point]] = {}
        for point in self._metrics.points(self._region, metric, _seconds(start), _seconds(end)):
            groups.setdefault(point.moment // period * period, []).append(point)
        return [(datetime.fromtimestamp(moment, timezone.utc), points) for moment, points in sorted(groups.items())]


def install(metrics: Metrics, alarms: Callable[[], Alarms]) -> None:
    """Put our answers in the place of moto's; `alarms` is asked when a request comes."""
    _install_alarms(alarms)
    _install_queries(metrics)


def _install_alarms(alarms: Callable[[], Alarms]) -> None:
    from moto.cloudwatch.models import CloudWatchBackend
    from moto.cloudwatch.responses import CloudWatchResponse

    keep = CloudWatchBackend.put_metric_alarm

    def put_metric_alarm(self: Any, **request: Any) -> Any:
        check_alarm(request, set(self.alarms))
        before = self.alarms.get(request["name"])
        alarm = keep(self, **request)
        if before is not None:
            alarm.state_value, alarm.state_reason = before.state_value, before.state_reason
        else:
            alarm.state_value = INSUFFICIENT
        return alarm

    def set_alarm_state(self: Any, alarm_name: str, reason: str, reason_data: str | None, state_value: str) -> None:
        if alarm_name not in self.alarms:
            raise service_fault("ResourceNotFound", f"The alarm {alarm_name} does not exist.")
        if state_value not in STATES:
            raise service_fault("ValidationError", f"{state_value} is not a state: {', '.join(STATES)}.")
        alarms().set_state(self.region_name, alarm_name, state_value, reason, reason_data)

    put(CloudWatchBackend, "put_metric_alarm", put_metric_alarm)
    put(CloudWatchBackend, "set_alarm_state", set_alarm_state)
    put(CloudWatchResponse, "put_composite_alarm", CloudWatchResponse.put_metric_alarm)


def _install_queries(metrics: Metrics) -> None:
    """moto's own answers know no percentiles, and add up metrics whose dimensions are more than those asked for."""
    from moto.cloudwatch.models import CloudWatchBackend, MetricDatumBase
    from moto.cloudwatch.responses import CloudWatchResponse
    from moto.core.responses import ActionResult

    def get_metric_statistics(self: Any) -> ActionResult:
        stats, extended = self._get_param("Statistics", []), self._get_param("ExtendedStatistics", [])
        if not stats and not extended:
            text = "Must specify either Statistics or ExtendedStatistics"
            raise service_fault("InvalidParameterCombination", text)
        start, end = self._get_param("StartTime"), self._get_param("EndTime")
        if start >= end:
            text = "The parameter StartTime must be less than the parameter EndTime."
            raise service_fault("InvalidParameterValue", text)
        name = self._get_param("MetricName")
        metric = MetricName(self._get_param("Namespace"), name, _named(self._get_param("Dimensions", [])))
        datapoints = Queries(metrics, self.region).statistics(
            metric, start, end, self._get_int_param("Period"), stats, self._get_param("Unit"), extended
        )
        return ActionResult({"Label": name, "Datapoints": datapoints})

    def get_metric_data(
        self: Any, queries: Any, start_time: datetime, end_time: datetime, scan_by: str = "TimestampDescending"
    ) -> list[dict[str, Any]]:
        return Queries(metrics, self.region_name).data(queries, start_time, end_time, scan_by)

    def get_filtered_metrics(
        self: Any, metric_name: str | None, namespace: str | None, dimensions: Sequence[Mapping[str, str]]
    ) -> list[Any]:
        wanted = {dimension["Name"]: dimension.get("Value") for dimension in dimensions}
        return [
            MetricDatumBase(
                name.namespace, name.name, [{"Name": key, "Value": value} for key, value in name.dimensions], None
            )
            for name in metrics.names(self.region_name)
            if name.matches(namespace, metric_name, wanted)
        ]

    put(CloudWatchResponse, "get_metric_statistics", get_metric_statistics)
    put(CloudWatchBackend, "get_metric_data", get_metric_data)
    put(CloudWatchBackend, "get_filtered_metrics", get_filtered_metrics)


def _statistic(name: str, points: Sequence[Point]) -> float | None:
    try:
        return statistic(name, points)
    except ValueError as fault:
        raise service_fault("InvalidParameterValue", f"{fault}.") from None


def _computed(expression: str, series: Mapping[str, Mapping[datetime, float]]) -> dict[datetime, float]:
    try:
        names = ids_of(expression)
        moments = sorted({moment for name in names for moment in series.get(name, {})})
        values = {m: value_of(expression, {name: series.get(name, {}).get(m) for name in names}) for m in moments}
    except ExpressionFault as fault:
        raise service_fault("ValidationError", str(fault)) from None
    return {moment: value for moment, value in values.items() if value is not None}


def _ordered(series: Mapping[datetime, float], newest_first: bool) -> dict[str, Any]:
    moments = sorted(series, reverse=newest_first)
    return {"timestamps": moments, "values": [series[moment] for moment in moments]}


def _named(dimensions: Sequence[Mapping[str, str]]) -> tuple[tuple[str, str], ...]:
    return dimensions_of({dimension["Name"]: dimension["Value"] for dimension in dimensions})


def _name_of(datum: Any) -> MetricName:
    return MetricName(datum.namespace, datum.name, dimensions_of({each.name: each.value for each in datum.dimensions}))


def _point(datum: Any) -> Point:
    point = Point(_seconds(datum.timestamp))
    if hasattr(datum, "value"):
        point.add(datum.value)
    else:
        point.count, point.total, point.low, point.high = datum.sample_count, datum.sum, datum.min, datum.max
    return point


def _seconds(moment: Any) -> float:
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment.replace("Z", "+00:00"))
    return float((moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp())
