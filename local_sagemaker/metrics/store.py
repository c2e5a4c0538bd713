"""The metrics of endpoints and jobs, in memory: by the tenth of a second for three hours, then they are forgotten.

After three hours CloudWatch, too, has no values of single seconds any more; a restart of the server forgets them all.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

KEPT_SECONDS = 3 * 3600.0
RESOLUTION = 10  # points a second, so that also periods that a time scale has shortened tell them apart
Dimensions = tuple[tuple[str, str], ...]  # sorted by name


def dimensions_of(named: Mapping[str, str]) -> Dimensions:
    """Dimensions as a key: in the order of their names."""
    return tuple(sorted(named.items()))


@dataclass(frozen=True)
class MetricName:
    """What a metric is: two of them are the same only with all dimensions the same."""

    namespace: str
    name: str
    dimensions: Dimensions

    def matches(self, namespace: str | None, name: str | None, dimensions: Mapping[str, str | None]) -> bool:
        """Whether ListMetrics with these filters names it; a dimension's value None stands for any."""
        own = dict(self.dimensions)
        return (
            namespace in (None, self.namespace)
            and name in (None, self.name)
            and all(key in own and value in (None, own[key]) for key, value in dimensions.items())
        )


@dataclass
class Point:
    """The values of one moment (seconds since 1970); or, where only these are known, their statistics."""

    moment: float
    values: list[float] = field(default_factory=list)
    count: float = 0.0
    total: float = 0.0
    low: float = float("inf")
    high: float = float("-inf")

    def add(self, value: float) -> None:
        """One more value."""
        self.values.append(value)
        self.count += 1
        self.total += value
        self.low, self.high = min(self.low, value), max(self.high, value)


@dataclass
class Series:
    """One metric: its unit, and its points, oldest first."""

    unit: str
    points: deque[Point] = field(default_factory=deque)


class MetricStore:
    """Takes values from many threads at once; `now` is the clock (seconds since 1970)."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._series: dict[MetricName, Series] = {}

    def add(self, metric: MetricName, value: float, unit: str) -> None:
        """One value, now."""
        self.add_all([(metric, value, unit)])

    def add_all(self, values: Iterable[tuple[MetricName, float, str]]) -> None:
        """One value of each of some metrics, with its unit, all at this moment."""
        moment = int(self._now() * RESOLUTION) / RESOLUTION
        with self._lock:
            for metric, value, unit in values:
                series = self._series.get(metric)
                if series is None:
                    series = self._series[metric] = Series(unit)
                if not series.points or series.points[-1].moment < moment:
                    series.points.append(Point(moment))
                    while series.points[0].moment < moment - KEPT_SECONDS:
                        series.points.popleft()
                series.points[-1].add(value)

    def add_past(self, metric: MetricName, values: Iterable[tuple[float, float]], unit: str) -> None:
        """Values of one metric that were logged at earlier moments (seconds since 1970, value), oldest first."""
        oldest = self._now() - KEPT_SECONDS
        with self._lock:
            points = self._series.setdefault(metric, Series(unit)).points
            for moment, value in values:
                if moment >= oldest and (not points or points[-1].moment < moment):
                    points.append(Point(moment))
                if points:
                    points[-1].add(value)

    def points(self, metric: MetricName, start: float, end: float) -> list[Point]:
        """Copies of the points of a metric from `start` on and before `end`, oldest first."""
        with self._lock:
            series = self._series.get(metric)
            found = [point for point in series.points if start <= point.moment < end] if series else []
            return [Point(p.moment, list(p.values), p.count, p.total, p.low, p.high) for p in found]

    def unit(self, metric: MetricName) -> str | None:
        """The unit of a metric; None where nothing of it is kept."""
        with self._lock:
            series = self._series.get(metric)
        return series.unit if series is not None else None

    def names(self) -> Iterator[MetricName]:
        """Every metric that has a point."""
        with self._lock:
            return iter(list(self._series))
