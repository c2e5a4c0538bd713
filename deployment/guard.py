"""How an update is guarded: its DeploymentConfig and its alarms, as requests. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from deployment.specification import VARIANT

NAMESPACE = "AWS/SageMaker"
Strategy = Literal["all_at_once", "canary", "linear", "rolling"]
ERRORS, LATENCY, GATE = "5xx", "latency", "gate"
GATE_NAMESPACE = "Deployments"  # of a metric that nobody sends: the gate's state is set, never measured


@dataclass(frozen=True)
class AlarmLimits:
    """What raises an alarm: the share of 5xx answers, and the 99th percentile of the model's latency."""

    max_error_rate: float
    max_latency_ms: float | None
    period_seconds: int
    evaluation_periods: int


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

    def alarm_requests(self, endpoint: str, config: str) -> list[dict[str, Any]]:
        """PutMetricAlarm's requests, on the metrics of the new configuration alone; none where nothing is watched.

        The last one is the gate: it has no metric that anybody sends, keeps the state that it is given, and so lets the
        deployment itself make SageMaker roll back.
        """
        if self.limits is None:
            return []
        dimensions = [
            {"Name": name, "Value": value}
            for name, value in (("EndpointName", endpoint), ("VariantName", VARIANT), ("EndpointConfigName", config))
        ]
        common = {
            "Namespace": NAMESPACE,
            "Dimensions": dimensions,
            "Period": self.limits.period_seconds,
            "EvaluationPeriods": self.limits.evaluation_periods,
            "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": "notBreaching",  # that too little traffic came is found out by counting it
        }
        requests = [
            {
                "AlarmName": alarm_name(config, ERRORS),
                "AlarmDescription": f"Share of 5xx answers of {config}",
                "MetricName": "Invocation5XXErrors",
                "Statistic": "Average",
                "Threshold": self.limits.max_error_rate,
                **common,
            }
        ]
        if self.limits.max_latency_ms is not None:
            requests.append(
                {
                    "AlarmName": alarm_name(config, LATENCY),
                    "AlarmDescription": f"99th percentile of the model latency of {config}, in microseconds",
                    "MetricName": "ModelLatency",
                    "ExtendedStatistic": "p99",
                    "Threshold": self.limits.max_latency_ms * 1000,
                    **common,
                }
            )
        gate = {
            "AlarmName": alarm_name(config, GATE),
            "AlarmDescription": f"Set to ALARM where the deployment of {config} is to be rolled back",
            "MetricName": "Gate",
            "Statistic": "Maximum",
            "Threshold": 0.0,
            **common,
            "Namespace": GATE_NAMESPACE,
            "Period": 60,
            "EvaluationPeriods": 1,
            "TreatMissingData": "ignore",
        }
        return [*requests, gate]


def alarm_name(config: str, kind: str) -> str:
    """The name of an alarm of the deployment of a configuration."""
    return f"{config}-{kind}"
