"""The stages of the YAML: machines, capture and how a new version takes over; AWS's limits are checked here, offline.

https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails.html
"""

import math
import re
from datetime import timedelta
from fractions import Fraction
from typing import Literal

from pydantic import Field, model_validator

from pipelines.settings.freeze_settings import FreezeSettings
from pipelines.settings.section import Section

INSTANCE_TYPE = r"^ml\.[a-z0-9]+\.[a-z0-9]+$"
LONGEST_WAIT = 3600  # seconds, of the service
LONGEST_UPDATE, SHORTEST_UPDATE = 28800, 600
BURSTABLE = "ml.t2."  # which Application Auto Scaling refuses
HALF = Fraction(1, 2)
SMALLEST = {"canary": Fraction(0), "linear": Fraction(1, 10), "rolling": Fraction(1, 20)}  # shares of the capacity
LARGEST_LATENCY_MS = 60_000  # after which the service gives up on an invocation
DURATION = re.compile(r"(?P<count>[1-9]\d{0,4}) (?P<unit>minute|hour|day)s?")
LONGEST_STAY = timedelta(days=366)
Strategy = Literal["all_at_once", "canary", "linear", "rolling", "weighted"]


class CaptureSettings(Section):
    """Which share of the requests and answers is captured."""

    sampling_percent: int = Field(default=100, ge=1, le=100)


class AlarmSettings(Section):
    """What of the new fleet alone raises an alarm.

    The share of 5xx answers, the 99th percentile of the latency, and in how many answers of a period a prediction was
    not a number.
    """

    max_error_rate: float = Field(default=0.01, ge=0, lt=1)
    max_latency_ms: float | None = Field(default=None, gt=0, lt=LARGEST_LATENCY_MS)
    max_invalid_predictions: int = Field(default=0, ge=0)
    period_seconds: int = Field(default=60, ge=60, le=3600, multiple_of=60)
    evaluation_periods: int = Field(default=1, ge=1, le=10)


class ServerlessSettings(Section):
    """A serverless variant in place of instances."""

    memory_mb: int = Field(ge=1024, le=6144, multiple_of=1024)
    max_concurrency: int = Field(ge=1, le=200)


class AutoscalingSettings(Section):
    """Between which numbers of instances a stage is scaled, so that each has so many invocations a minute."""

    min_instances: int = Field(ge=1)
    max_instances: int = Field(ge=1)
    invocations_per_instance: float = Field(gt=0, allow_inf_nan=False)
    scale_in_cooldown_seconds: int = Field(default=300, ge=0)
    scale_out_cooldown_seconds: int = Field(default=300, ge=0)


class DeploymentSettings(Section):
    """How a version replaces another: the strategy, the size of a step, the waits in seconds, and the alarms.

    `wait_seconds` is the baking after each step. With `weighted` the deployment itself takes the steps, each of
    `size_percent` of the requests. With fewer than `min_requests` of clients to the new fleet the
    outcome is inconclusive, and the service rolls back.
    """

    strategy: Strategy = "all_at_once"
    size_percent: int | None = Field(default=None, ge=1, le=100)
    size_instances: int | None = Field(default=None, ge=1)
    wait_seconds: int = Field(default=0, ge=0, le=LONGEST_WAIT)
    termination_wait_seconds: int = Field(default=0, ge=0, le=LONGEST_WAIT)
    limit_seconds: int | None = Field(default=None, ge=SHORTEST_UPDATE, le=LONGEST_UPDATE)
    min_requests: int = Field(default=0, ge=0)
    alarms: AlarmSettings | None = None

    @property
    def guarded(self) -> bool:
        """Whether alarms watch the new fleet while it bakes."""
        return self.alarms is not None

    def step_instances(self, count: int) -> int:
        """How many of `count` new instances one step brings; a percentage is rounded up."""
        if self.size_instances is not None:
            return self.size_instances
        return math.ceil(Fraction(self.size_percent or 100, 100) * count)

    def steps(self, count: int) -> int:
        """How many times traffic is shifted to `count` new instances."""
        if self.strategy == "all_at_once":
            return 1
        if self.strategy == "weighted":
            return math.ceil(100 / (self.size_percent or 100))
        return 2 if self.strategy == "canary" else math.ceil(count / self.step_instances(count))

    def waits(self, count: int) -> int:
        """Seconds that an update waits in all, starts of instances not counted."""
        return self.steps(count) * self.wait_seconds + self.termination_wait_seconds

    @model_validator(mode="after")
    def _consistent(self) -> "DeploymentSettings":
        given = [name for name in ("size_percent", "size_instances") if getattr(self, name) is not None]
        if self.strategy == "all_at_once" and given:
            raise ValueError(f"{given[0]} has no meaning with the strategy all_at_once: leave it out.")
        if self.strategy == "weighted":
            self._check_weighted()
        if self.strategy != "all_at_once" and len(given) != 1:
            raise ValueError(f"The strategy {self.strategy} needs either size_percent or size_instances.")
        if self.guarded and not self.wait_seconds:
            raise ValueError("alarms need a wait_seconds above 0: they are watched while the new fleet bakes.")
        if self.min_requests and not self.guarded:
            raise ValueError("min_requests needs alarms: only an alarm makes the service roll back.")
        if self.alarms is not None:
            watched = self.alarms.period_seconds * self.alarms.evaluation_periods
            if watched > self.wait_seconds:
                raise ValueError(
                    f"The alarms look at {watched} s and the new fleet bakes {self.wait_seconds} s (wait_seconds): "
                    "they could not be raised in time."
                )
        if self.strategy == "rolling" and self.termination_wait_seconds:
            raise ValueError("termination_wait_seconds has no meaning with the strategy rolling: leave it out.")
        return self

    def _check_weighted(self) -> None:
        if self.size_instances is not None:
            raise ValueError("The strategy weighted shifts requests, not instances: give size_percent.")
        if not self.wait_seconds:
            raise ValueError("The strategy weighted needs a wait_seconds above 0: nothing would be seen between steps.")
        if self.limit_seconds is not None:
            raise ValueError(
                "limit_seconds has no meaning with the strategy weighted, whose steps SageMaker does not take: leave "
                "it out."
            )


class StageSettings(Section):
    """One endpoint: instances, or `serverless` in their place; capture is on unless it is `false`.

    With `second_person` whoever deploys or promotes to it must be another than who approved the version. Within the
    windows of `freeze` no version is deployed to it. It removes itself `remove_after` its last deployment.
    """

    instance_type: str | None = Field(default=None, pattern=INSTANCE_TYPE)
    instance_count: int = Field(default=1, ge=1)
    serverless: ServerlessSettings | None = None
    autoscaling: AutoscalingSettings | None = None
    capture: CaptureSettings | Literal[False] = CaptureSettings()
    deployment: DeploymentSettings = DeploymentSettings()
    promote_from: str | None = None
    promote_after_minutes: int = Field(default=0, ge=0)
    promote_after_requests: int = Field(default=0, ge=0)
    second_person: bool = False
    freeze: list[FreezeSettings] = Field(default=[])
    remove_after: str | None = None

    @property
    def stay(self) -> timedelta | None:
        """How long after its last deployment the endpoint removes itself; None where it does not."""
        found = DURATION.fullmatch(self.remove_after or "")
        return timedelta(**{f"{found['unit']}s": int(found["count"])}) if found else None

    @model_validator(mode="after")
    def _possible(self) -> "StageSettings":
        if (self.instance_type is None) == (self.serverless is None):
            raise ValueError("A stage needs either instance_type or serverless.")
        if self.serverless is not None:
            self._check_serverless()
        elif self.deployment.strategy not in ("all_at_once", "weighted"):
            self._check_share()
        if self.autoscaling is not None:
            self._check_autoscaling(self.autoscaling)
        if self.promote_from is None and (self.promote_after_minutes or self.promote_after_requests):
            raise ValueError("promote_after_minutes and promote_after_requests need promote_from.")
        self._check_stay()
        waits, limit = self.deployment.waits(self.instance_count), self.deployment.limit_seconds
        if waits >= (limit or LONGEST_UPDATE):
            longest = "the longest shift" if self.deployment.strategy == "weighted" else "the service's limit"
            what = f"limit_seconds {limit}" if limit else f"{LONGEST_UPDATE} s, {longest}"
            raise ValueError(f"The waits of an update are {waits} s in all, which must be less than {what}.")
        return self

    def _check_stay(self) -> None:
        if self.remove_after is None:
            return
        if self.stay is None:
            raise ValueError(
                f"remove_after is {self.remove_after!r}: write a whole number of minutes, hours or days, as in 8 hours."
            )
        if self.stay > LONGEST_STAY:
            raise ValueError(f"remove_after is {self.remove_after}: at most {LONGEST_STAY.days} days are allowed.")
        waits = self.deployment.waits(self.instance_count)
        if self.stay.total_seconds() <= waits:
            raise ValueError(
                f"remove_after is {self.remove_after}, and an update waits {waits} s: the endpoint would be removed "
                "before it ends."
            )

    def _check_serverless(self) -> None:
        if self.deployment.strategy != "all_at_once":
            raise ValueError(
                f"The strategy {self.deployment.strategy} is not possible with serverless: use all_at_once."
            )
        if self.capture is not False and "capture" in self.model_fields_set:
            raise ValueError("SageMaker does not capture data of serverless endpoints: set capture: false.")
        if self.instance_count != 1:
            raise ValueError("instance_count has no meaning with serverless: leave it out.")

    def _check_autoscaling(self, wanted: AutoscalingSettings) -> None:
        if self.serverless is not None:
            raise ValueError("autoscaling has no meaning with serverless: leave it out.")
        if self.deployment.strategy == "weighted":
            raise ValueError(
                "autoscaling is not possible with the strategy weighted: the old variant would lose its instances with "
                "its requests, before it is known whether they come back."
            )
        if not wanted.min_instances <= self.instance_count <= wanted.max_instances:
            raise ValueError(
                f"instance_count {self.instance_count} must lie within autoscaling's min_instances "
                f"{wanted.min_instances} and max_instances {wanted.max_instances}."
            )
        if str(self.instance_type).startswith(BURSTABLE):
            raise ValueError(f"SageMaker does not scale {self.instance_type}: choose a type that is not burstable.")

    def _check_share(self) -> None:
        deployment, count = self.deployment, self.instance_count
        step = deployment.step_instances(count)
        share = max(Fraction(step, count), Fraction(deployment.size_percent or 0, 100))
        asked = Fraction(deployment.size_percent, 100) if deployment.size_percent else share
        size = f"{deployment.size_percent} %" if deployment.size_percent else f"{step} instances"
        smallest = SMALLEST[deployment.strategy]
        if share > HALF or asked < smallest:
            low = f"{float(smallest):.0%} to " if smallest else "at most "
            raise ValueError(
                f"A {deployment.strategy} step of {size} of instance_count {count} is {step} of {count} instances "
                f"({float(Fraction(step, count)):.0%}): the service allows {low}50%."
            )
