"""The metrics of a training job: what its MetricDefinitions find in its logs.

https://docs.aws.amazon.com/sagemaker/latest/dg/define-train-metrics.html
"""

import heapq
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local_sagemaker.processes.log_events import Event, LogFile
from local_sagemaker.processes.outcome import ClientFault, Metric


@dataclass(frozen=True)
class MetricDefinition:
    """A metric's name and the pattern whose first group, or all of it where it has none, is its value."""

    name: str
    pattern: re.Pattern[str]


def metric_definitions(documents: Iterable[Mapping[str, str]]) -> tuple[MetricDefinition, ...]:
    """AlgorithmSpecification.MetricDefinitions; ClientFault where a Regex is not valid."""
    return tuple(MetricDefinition(document["Name"], _pattern(document)) for document in documents)


def values(definitions: Sequence[MetricDefinition], events: Iterable[Event]) -> Iterable[Metric]:
    """Every value in these lines, in their order; text that is not a finite number is ignored, as for CloudWatch."""
    for event in events:
        for definition in definitions:
            for found in definition.pattern.finditer(event.message):
                value = _number(found[min(1, definition.pattern.groups)])
                if value is not None:
                    yield Metric(definition.name, value, event.timestamp / 1000)


def final_metrics(definitions: Sequence[MetricDefinition], logs: Sequence[LogFile]) -> tuple[Metric, ...]:
    """The last value of each metric in the logs of all hosts, in the order of the definitions.

    A metric without a value is left out, as in FinalMetricDataList of DescribeTrainingJob.
    """
    if not definitions:
        return ()
    lines = heapq.merge(*(log.events() for log in logs), key=lambda event: event.timestamp)
    last = {metric.name: metric for metric in values(definitions, lines)}
    return tuple(last[definition.name] for definition in definitions if definition.name in last)


def metric_data(metrics: Iterable[Metric]) -> list[dict[str, Any]]:
    """The shape MetricData of the API."""
    return [{"MetricName": each.name, "Value": each.value, "Timestamp": each.timestamp} for each in metrics]


def _pattern(document: Mapping[str, str]) -> re.Pattern[str]:
    try:
        return re.compile(document["Regex"])
    except re.error as error:
        raise ClientFault(
            f"The Regex {document['Regex']!r} of the metric {document['Name']} is not a regular expression: {error}."
        ) from None


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None
