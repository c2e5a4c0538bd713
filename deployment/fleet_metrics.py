"""What CloudWatch measured of the fleet of one configuration, and a graph of it as text."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from deployment.guard import NAMESPACE
from deployment.specification import VARIANT

BARS = " ▁▂▃▄▅▆▇█"
WIDTH = 60
DAY = 86400  # seconds
SERIES = {"Invocations": "Sum", "Invocation5XXErrors": "Average", "ModelLatency": "p99"}
UNITS = {"Invocations": "requests", "Invocation5XXErrors": "share of 5xx answers", "ModelLatency": "p99, microseconds"}


@dataclass(frozen=True)
class Series:
    """One metric: its values by the beginnings of their periods, oldest first."""

    name: str
    points: tuple[tuple[datetime, float], ...]
    fleet: str = "new"

    @property
    def title(self) -> str:
        """Which metric of which fleet, with its unit."""
        return f"{self.name} of the {self.fleet} fleet ({UNITS[self.name]})"

    def graph(self) -> str:
        """One line of bars with the lowest and the highest value; the latest WIDTH periods."""
        values = [value for _, value in self.points][-WIDTH:]
        if not values:
            return f"{self.title}: nothing was measured"
        top = max(values)
        bars = "".join(BARS[round(value / top * (len(BARS) - 1)) if top else 0] for value in values)
        return f"{self.title} {min(values):g} to {top:g}: |{bars}|"


class FleetMetrics:
    """Asks CloudWatch about one configuration's fleet since a moment; `period` is in seconds."""

    def __init__(
        self, cloudwatch: Any, endpoint: str, config: str, since: datetime, period: int, variant: str = VARIANT
    ) -> None:
        self.period = period
        self._cloudwatch = cloudwatch
        self._dimensions = [
            {"Name": name, "Value": value}
            for name, value in (("EndpointName", endpoint), ("VariantName", variant), ("EndpointConfigName", config))
        ]
        self._since = since

    def requests(self) -> int:
        """How many requests the fleet was asked."""
        return round(sum(value for _, value in self.series("Invocations").points))

    def all(self) -> list[Series]:
        """Requests, error rate and latency."""
        return [self.series(name) for name in SERIES]

    def series(self, name: str, fleet: str = "new") -> Series:
        """One metric; `fleet` is what the configuration's fleet is called beside another one."""
        metric = {"Namespace": NAMESPACE, "MetricName": name, "Dimensions": self._dimensions}
        query = {
            "Id": "m",
            "MetricStat": {"Metric": metric, "Period": self.period, "Stat": SERIES[name]},
        }
        pages = self._cloudwatch.get_paginator("get_metric_data").paginate(
            MetricDataQueries=[query],
            StartTime=self._since - timedelta(seconds=self.period),
            EndTime=datetime.now(timezone.utc) + timedelta(seconds=self.period),
            ScanBy="TimestampAscending",
        )
        results = [result for page in pages for result in page["MetricDataResults"]]
        points = [point for each in results for point in zip(each["Timestamps"], each["Values"], strict=True)]
        return Series(name, tuple(sorted(points)), fleet)


def latencies(cloudwatch: Any, endpoint: str, variant: str, config: str, since: datetime) -> dict[str, float] | None:
    """ModelLatency of a variant since a moment, p50 and p99 in milliseconds; None where nothing was measured.

    Each is of the day with the largest, as CloudWatch computes percentiles within a period only.
    """
    names = (("EndpointName", endpoint), ("VariantName", variant), ("EndpointConfigName", config))
    metric = {
        "Namespace": NAMESPACE,
        "MetricName": "ModelLatency",
        "Dimensions": [{"Name": name, "Value": value} for name, value in names],
    }
    queries = [{"Id": stat, "MetricStat": {"Metric": metric, "Period": DAY, "Stat": stat}} for stat in ("p50", "p99")]
    end = datetime.now(timezone.utc) + timedelta(seconds=DAY)
    start = since - timedelta(seconds=DAY)
    results = cloudwatch.get_metric_data(MetricDataQueries=queries, StartTime=start, EndTime=end)["MetricDataResults"]
    values = {each["Id"]: max(each["Values"]) / 1000 for each in results if each["Values"]}
    return values if len(values) == len(queries) else None


def as_text(series: Sequence[Series]) -> list[str]:
    """The graphs of several series, a line each."""
    return [each.graph() for each in series]
