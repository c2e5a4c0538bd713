"""The metrics of invocations, as SageMaker sends them to CloudWatch.

https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html
"""

from dataclasses import dataclass

from local_sagemaker.metrics.store import MetricName, MetricStore, dimensions_of

NAMESPACE = "AWS/SageMaker"
CLIENT_ERROR, SERVER_ERROR = 400, 500


@dataclass(frozen=True)
class Source:
    """Which fleet answered; the configuration tells the fleets of an update apart."""

    endpoint: str
    variant: str
    config: str

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
        values = {
            "Invocations": (1.0, "None"),
            "InvocationsPerInstance": (1 / max(1, instances), "None"),
            "Invocation4XXErrors": (float(client), "None"),
            "Invocation5XXErrors": (float(failed and not client), "None"),
            "InvocationModelErrors": (float(failed), "None"),
            "ModelLatency": (model_seconds * 1e6, "Microseconds"),
            "OverheadLatency": (max(0.0, seconds - model_seconds) * 1e6, "Microseconds"),
        }
        for named in source.dimensions:
            dimensions = dimensions_of(named)
            for name, (value, unit) in values.items():
                self._store.add(MetricName(NAMESPACE, name, dimensions), value, unit)
