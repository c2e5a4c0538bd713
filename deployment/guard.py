"""How an update is guarded: its DeploymentConfig and its alarms, as requests. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from deployment.specification import VARIANT

NAMESPACE = "AWS/SageMaker"
Strategy = Literal["all_at_once", "canary", "linear", "rolling", "weighted"]
WEIGHTED = "weighted"  # the only strategy whose steps the deployment itself takes
ERRORS, LATENCY, INVALID, GATE = "5xx", "latency", "invalid", "gate"
OWN_NAMESPACE = "Deployments"  # of invalid predictions, and of the gate, whose state is set and never measured


@dataclass(frozen=True)
class AlarmLimits:
    """What raises an alarm: the share of 5xx answers, the 99th percentile of the model's latency, invalid predictions.

    Of the last so many may be logged in a period; see deployment.invalid_predictions.
    """

    max_error_rate: float
    max_latency_ms: float | None
    period_seconds: int
    evaluation_periods: int
    max_invalid_predictions: int = 0


@dataclass(frozen=True)
class Guard:
    """The strategy of an update. Waits in seconds; `size` is a CapacitySize of SageMaker, None with all_at_once."""

    strategy: Strategy = "all_at_once"
    size: tuple[Literal["INSTANCE_COUNT", "CAPACITY_PERCENT"], int] | None = None
    wait_seconds: int = 0
    termination_wait_seconds: int = 0
    limit_seconds: int | None = None
    min_requests: int = 0
    limits: AlarmLimits | None = None

    @property
    def default(self) -> bool:
        """Whether it is what SageMaker does without a DeploymentConfig."""
        return self == Guard()

    def deployment_config(self, alarms: Sequence[str]) -> dict[str, Any]:
        """The DeploymentConfig of UpdateEndpoint."""
        limit = {"MaximumExecutionTimeoutInSeconds": self.limit_seconds} if self.limit_seconds else {}
        size = {"Type": self.size[0], "Value": self.size[1]} if self.size else None
        config: dict[str, Any] = {}
        if self.strategy == "rolling":
            config["RollingUpdatePolicy"] = {
                "MaximumBatchSize": size,
                "WaitIntervalInSeconds": self.wait_seconds,
                **limit,
            }
        else:
            routing: dict[str, Any] = {"Type": self.strategy.upper(), "WaitIntervalInSeconds": self.wait_seconds}
            if size is not None:
                routing["CanarySize" if self.strategy == "canary" else "LinearStepSize"] = size
            config["BlueGreenUpdatePolicy"] = {
                "TrafficRoutingConfiguration": routing,
                "TerminationWaitInSeconds": self.termination_wait_seconds,
                **limit,
            }
        if alarms:
            config["AutoRollbackConfiguration"] = {"Alarms": [{"AlarmName": name} for name in alarms]}
        return config

    def alarm_requests(
        self, endpoint: str, config: str, variant: str = VARIANT, counts_invalid: bool = False
    ) -> list[dict[str, Any]]:
        """PutMetricAlarm's requests, on the metrics of the new configuration alone; none where nothing is watched.

        One on invalid predictions where these are counted. The last one is the gate: it has no metric that anybody
        sends, keeps the state that it is given, and so lets the deployment itself make SageMaker roll back. A weighted
        shift needs none: nobody but the deployment rolls it back.
        """
        if self.limits is None:
            return []
        dimensions = [
            {"Name": name, "Value": value}
            for name, value in (("EndpointName", endpoint), ("VariantName", variant), ("EndpointConfigName", config))
        ]
        requests = [
            self._alarm(config, ERRORS, "Share of 5xx answers of {}", self.limits.max_error_rate)
            | {"MetricName": "Invocation5XXErrors", "Statistic": "Average", "Dimensions": dimensions}
        ]
        if self.limits.max_latency_ms is not None:
            text = "99th percentile of the model latency of {}, in microseconds"
            requests.append(
                self._alarm(config, LATENCY, text, self.limits.max_latency_ms * 1000)
                | {"MetricName": "ModelLatency", "ExtendedStatistic": "p99", "Dimensions": dimensions}
            )
        if counts_invalid:
            text = "Answers of {} that its log calls an invalid prediction"
            requests.append(
                self._alarm(config, INVALID, text, float(self.limits.max_invalid_predictions))
                | {"MetricName": alarm_name(config, INVALID), "Statistic": "Sum", "Namespace": OWN_NAMESPACE}
            )
        if self.strategy != WEIGHTED:
            requests.append(
                self._alarm(config, GATE, "Set to ALARM where the deployment of {} is to be rolled back", 0.0)
                | {"MetricName": "Gate", "Statistic": "Maximum", "Namespace": OWN_NAMESPACE, "Dimensions": dimensions}
                | {"Period": 60, "EvaluationPeriods": 1, "TreatMissingData": "ignore"}
            )
        return requests

    def _alarm(self, config: str, kind: str, text: str, threshold: float) -> dict[str, Any]:
        """What the alarms have in common."""
        limits = self.limits
        return {
            "AlarmName": alarm_name(config, kind),
            "AlarmDescription": text.format(config),
            "Namespace": NAMESPACE,
            "Period": limits.period_seconds if limits is not None else 60,
            "EvaluationPeriods": limits.evaluation_periods if limits is not None else 1,
            "Threshold": threshold,
            "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": "notBreaching",  # that too little traffic came is found out by counting it
        }


def alarm_name(config: str, kind: str) -> str:
    """The name of an alarm of the deployment of a configuration."""
    return f"{config}-{kind}"
