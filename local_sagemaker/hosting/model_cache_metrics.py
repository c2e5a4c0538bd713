"""The metrics of the models of a multi-model variant.

https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html, "Multi-model endpoint metrics"
"""

from local_sagemaker.hosting.invocation_metrics import NAMESPACE
from local_sagemaker.metrics.store import MetricName, MetricStore, dimensions_of

INSTANCES = "/aws/sagemaker/Endpoints"  # the namespace of what is counted for each instance
MICROSECONDS = "Microseconds"


class ModelCacheMetrics:
    """How often a model was there already, and how long loading and unloading take."""

    def __init__(self, store: MetricStore, endpoint: str, variant: str) -> None:
        self._store = store
        self._dimensions = dimensions_of({"EndpointName": endpoint, "VariantName": variant})

    def asked(self, hit: bool, waited_seconds: float) -> None:
        """A request whose model was there, or was loaded for it."""
        self._add("ModelCacheHit", float(hit), "None")
        if not hit:
            self._add("ModelLoadingWaitTime", waited_seconds * 1e6, MICROSECONDS)

    def loaded(self, seconds: float, count: int) -> None:
        """A model was fetched and loaded; `count` are in memory now."""
        self._add("ModelLoadingTime", seconds * 1e6, MICROSECONDS)
        self._add("LoadedModelCount", float(count), "None", INSTANCES)

    def unloaded(self, seconds: float, count: int) -> None:
        """A model was unloaded; `count` are in memory now."""
        self._add("ModelUnloadingTime", seconds * 1e6, MICROSECONDS)
        self._add("LoadedModelCount", float(count), "None", INSTANCES)

    def _add(self, name: str, value: float, unit: str, namespace: str = NAMESPACE) -> None:
        self._store.add(MetricName(namespace, name, self._dimensions), value, unit)
