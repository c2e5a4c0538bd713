"""The metrics of training jobs in CloudWatch: every value that MetricDefinitions find in the logs, at its moment.

https://docs.aws.amazon.com/sagemaker/latest/dg/training-metrics.html
"""

import heapq
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from local_sagemaker.jobs.algorithm import logged_metrics
from local_sagemaker.jobs.metrics import metric_definitions, values
from local_sagemaker.metrics.store import MetricName, MetricStore, dimensions_of
from local_sagemaker.processes.log_events import LogFile

NAMESPACE = "/aws/sagemaker/TrainingJobs"


class TrainingMetrics:
    """Puts what a job has logged into the store once it has ended."""

    def __init__(self, store: MetricStore) -> None:
        self._store = store

    def ended(self, job: Mapping[str, Any], logs: Sequence[LogFile]) -> None:
        """Add every value of a job's metrics; `logs` are those of its hosts."""
        definitions = metric_definitions(logged_metrics(job["AlgorithmSpecification"], job.get("HyperParameters", {})))
        if not definitions:
            return
        lines = heapq.merge(*(log.events() for log in logs), key=lambda event: event.timestamp)
        found: dict[str, list[tuple[float, float]]] = defaultdict(list)
        for metric in values(definitions, lines):
            found[metric.name].append((metric.timestamp, metric.value))
        dimensions = dimensions_of({"TrainingJobName": job["TrainingJobName"]})
        for name, points in found.items():
            self._store.add_past(MetricName(NAMESPACE, name, dimensions), points, "None")
