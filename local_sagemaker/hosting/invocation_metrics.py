"""The metrics of invocations, as SageMaker sends them to CloudWatch.

https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html
"""

from dataclasses import dataclass
from functools import lru_cache

from local_sagemaker.metrics.store import MetricName, MetricStore, dimensions_of

NAMESPACE = "AWS/SageMaker"
NAMES = (
    "Invocations",
    "InvocationsPerInstance",
    "Invocation4XXErrors",
    "Invocation5XXErrors",
    "InvocationModelErrors",
    "ModelLatency",
    "OverheadLatency",
)
# https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-monitor.html names what such an endpoint has of them.
ASYNCHRONOUS = ("Invocation4XXErrors", "Invocation5XXErrors", "ModelLatency")
KNOWN_SOURCES = 1024  # whose names are kept
CLIENT_ERROR, SERVER_ERROR = 400, 500


@dataclass(frozen=True)
class Source:
    """Which fleet answered; the configuration tells the fleets of an update apart."""

    endpoint: str
    variant: str
    config: str
    asynchronous: bool = False

    @property
    def dimensions(self) -> tuple[dict[str, str], dict[str, str]]:
        """Of all fleets of the variant, and of this one alone."""
        both = {"EndpointName": self.endpoint, "VariantName": self.variant}
        return both, {**both, "EndpointConfigName": self.config}


class InvocationMetrics:
    """Counts invocations and takes their times."""

    def __init__(self, store: MetricStore) -> None:
        self._store = store

    def observe(self, source: Source, status: int, model_seconds: float, seconds: float, instances: int) -> None:
        """One invocation of `seconds`, of which the model took `model_seconds`.

        A `status` of 0 is a model that did not answer, which counts as a fault of the server.
        """
        failed = not 200 <= status < CLIENT_ERROR
        client = CLIENT_ERROR <= status < SERVER_ERROR
        values = [
            (1.0, "None"),
            (1 / max(1, instances), "None"),
            (float(client), "None"),
            (float(failed and not client), "None"),
            (float(failed), "None"),
            (model_seconds * 1e6, "Microseconds"),
            (max(0.0, seconds - model_seconds) * 1e6, "Microseconds"),
        ]
        measured = zip(_metrics(source), [*values, *values], strict=True)
        self._store.add_all(
            (metric, value, unit)
            for metric, (value, unit) in measured
            if not source.asynchronous or metric.name in ASYNCHRONOUS
        )


@lru_cache(maxsize=KNOWN_SOURCES)
def _metrics(source: Source) -> list[MetricName]:
    """Every metric of an invocation: of all fleets of the variant, then of this one alone."""
    return [MetricName(NAMESPACE, name, dimensions_of(named)) for named in source.dimensions for name in NAMES]
