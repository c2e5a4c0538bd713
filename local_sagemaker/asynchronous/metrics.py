"""The metrics of asynchronous endpoints in CloudWatch.

https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-monitor.html
"""

from collections.abc import Mapping

from local_sagemaker.hosting.invocation_metrics import NAMESPACE
from local_sagemaker.metrics.store import MetricName, MetricStore, dimensions_of

COUNT, SECONDS, MILLISECONDS, MICROSECONDS = "Count", "Seconds", "Milliseconds", "Microseconds"


class AsyncMetrics:
    """Of an endpoint's queue, and of each request that has ended."""

    def __init__(self, store: MetricStore) -> None:
        self._store = store

    def backlog(self, endpoint: str, size: int, instances: int, oldest_seconds: float) -> None:
        """How many requests wait or are being answered, and how long the oldest has been here.

        Without instances the backlog of an instance is all of it, for a policy that tracks it scales up from 0 when all
        of it exceeds the target: https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-autoscale.html
        """
        values = {
            "ApproximateBacklogSize": (float(size), COUNT),
            "ApproximateBacklogSizePerInstance": (size / max(instances, 1), COUNT),
            "ApproximateAgeOfOldestRequest": (oldest_seconds, SECONDS),
            "HasBacklogWithoutCapacity": (float(size > 0 and instances == 0), COUNT),
        }
        self._add({"EndpointName": endpoint}, values)

    def ended(self, endpoint: str, variant: str, values: Mapping[str, tuple[float, str]]) -> None:
        """What is known of one request, by the names of its metrics."""
        self._add({"EndpointName": endpoint, "VariantName": variant}, values)

    def _add(self, named: Mapping[str, str], values: Mapping[str, tuple[float, str]]) -> None:
        dimensions = dimensions_of(named)
        self._store.add_all(
            (MetricName(NAMESPACE, name, dimensions), value, unit) for name, (value, unit) in values.items()
        )
