"""Metrics in the layouts of SageMaker: {"regression_metrics": {"rmse": {"value": 1, "standard_deviation": 0.1}}}."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MOST_NUMBERS = 400
DEVIATIONS = 1.96  # of a normal distribution: the half width of a 95 % interval


@dataclass(frozen=True)
class Metric:
    """A measured value and its standard deviation, where that is known."""

    name: str
    value: float
    deviation: float | None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval of a normal distribution with this deviation."""
        if not self.deviation:
            return None
        return self.value - DEVIATIONS * self.deviation, self.value + DEVIATIONS * self.deviation


def metrics_of(document: Any) -> list[Metric]:
    """The metrics of a model quality document: every group whose name ends in _metrics."""
    found = []
    for group, entries in document.items() if isinstance(document, Mapping) else ():
        if group.endswith("_metrics") and isinstance(entries, Mapping):
            for name, entry in entries.items():
                if isinstance(entry, Mapping) and is_number(entry.get("value")):
                    deviation = entry.get("standard_deviation")
                    found.append(Metric(name, float(entry["value"]), deviation if is_number(deviation) else None))
    return found


def flat_numbers(document: Any, path: str = "") -> Iterator[tuple[str, float]]:
    """The numbers of a document by their path, a limited number of them; lists are left out."""
    left = MOST_NUMBERS
    for name, value in _walk(document, path):
        if left == 0:
            return
        left -= 1
        yield name, value


def _walk(document: Any, path: str) -> Iterator[tuple[str, float]]:
    if isinstance(document, Mapping):
        for key, value in document.items():
            yield from _walk(value, f"{path}.{key}".lstrip("."))
    elif is_number(document):
        yield path, float(document)


def is_number(value: Any) -> bool:
    """Whether a value of a document is a finite number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < float("inf")
