"""What the next execution would cost: the jobs that run, the price of their instances, and how long they took last."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from pipelines.clients import SageMakerClient
from pipelines.document.cache_forecast import REUSED, Forecast, defaults, resolved, steps_of
from pipelines.settings.stage_settings import StageSettings
from pipelines.watching.executions import Job, describe

PRICES = Path(__file__).with_name("instance_prices.yaml")
HOURS_A_MONTH = 730
LOOKED_AT = 5  # the newest executions in which a duration is looked for
# Where the arguments of a job say what it runs on.
CLUSTERS = {
    "Processing": ("ProcessingResources", "ClusterConfig"),
    "Training": ("ResourceConfig",),
    "Transform": ("TransformResources",),
    "Tuning": ("TrainingJobDefinition", "ResourceConfig"),
}


@dataclass(frozen=True)
class StepCost:
    """One job of the next execution. None is "unknown": the price, the duration, and so the cost.

    `price` is USD an hour for one instance, `seconds` how long the job took when it last ran, in `measured_in`.
    """

    step: str
    runs: bool
    instance_type: str | None
    instance_count: int | None
    price: float | None
    seconds: float | None
    measured_in: str | None

    @property
    def cost(self) -> float | None:
        """USD; 0 for a step that is taken from the cache, None where something is not known."""
        if not self.runs:
            return 0.0
        if self.price is None or self.seconds is None or self.instance_count is None:
            return None
        return self.price * self.instance_count * self.seconds / 3600


@dataclass(frozen=True)
class EndpointCost:
    """The endpoint of a stage, were it up for a month. `price` is USD an hour for one instance; None is "unknown"."""

    stage: str
    instance_type: str
    instance_count: int
    price: float | None
    removed_after: str | None = None  # its last deployment
    stay_hours: float | None = None

    @property
    def until_removed(self) -> float | None:
        """USD for one stay of an endpoint that removes itself; None where it does not, or no price is known."""
        if self.price is None or self.stay_hours is None:
            return None
        return self.price * self.instance_count * self.stay_hours

    @property
    def monthly(self) -> float | None:
        """USD for 730 hours of all its instances; None where the price is not known."""
        return None if self.price is None else self.price * self.instance_count * HOURS_A_MONTH


@dataclass(frozen=True)
class Cost:
    """The jobs of the next execution and the endpoints of the stages, with the prices' region and date."""

    region: str
    date: str
    currency: str
    steps: tuple[StepCost, ...]
    endpoints: tuple[EndpointCost, ...] = ()

    @property
    def total(self) -> float | None:
        """USD, or None where the cost of one of the jobs is not known."""
        costs = [step.cost for step in self.steps]
        return None if None in costs else sum(cost for cost in costs if cost is not None)

    def document(self) -> dict[str, Any]:
        """The costs as data for --json; null is unknown."""
        steps = [{**asdict(step), "cost": step.cost} for step in self.steps]
        endpoints = [
            {**asdict(each), "monthly": each.monthly, "until_removed": each.until_removed} for each in self.endpoints
        ]
        return {
            "region": self.region,
            "date": self.date,
            "currency": self.currency,
            "total": self.total,
            "steps": steps,
            "endpoints": endpoints,
        }


@dataclass(frozen=True)
class Measured:
    """How long a job took, in seconds, and in which execution, by the name that people read and by its ARN."""

    seconds: float
    execution: str
    arn: str
    job: Job


def cost_of(
    definition: Mapping[str, Any],
    forecasts: Sequence[Forecast],
    measured: Mapping[str, Measured],
    region: str,
    stages: Mapping[str, StageSettings] | None = None,
) -> Cost:
    """The cost of an execution with the parameters at their defaults; `measured` are durations by step.

    `stages` are those whose endpoints are to be priced, too.
    """
    table = prices()
    hosting: Mapping[str, float] = table["hosting"].get(region, {})
    endpoints = tuple(
        EndpointCost(
            name,
            machine,
            stage.instance_count,
            hosting.get(machine),
            stage.remove_after,
            stage.stay.total_seconds() / 3600 if stage.stay else None,
        )
        for name, stage in (stages or {}).items()
        for machine in (stage.instance_type or "serverless",)
    )
    in_region: Mapping[str, float] = table["regions"].get(region, {})
    runs = {entry.step: entry.outcome != REUSED for entry in forecasts}
    values, costs = defaults(definition), []
    for name, step in steps_of(definition).items():
        if step["Type"] in CLUSTERS:
            kind, count = _cluster(step, values)
            before = measured.get(name)
            never_ran = before is None  # then there is nothing in the cache, either
            # How long the training jobs of a tuning job ran, some of them at once, its own duration does not say.
            told = before if step["Type"] != "Tuning" else None
            costs.append(
                StepCost(
                    step=name,
                    runs=runs.get(name, True) or never_ran,
                    instance_type=kind,
                    instance_count=count,
                    price=in_region.get(kind) if kind else None,
                    seconds=told.seconds if told else None,
                    measured_in=told.execution if told else None,
                )
            )
    return Cost(region, str(table["date"]), table["currency"], tuple(costs), endpoints)


def last_durations(sagemaker: SageMakerClient, pipeline_name: str, place: str = "") -> dict[str, Measured]:
    """How long each job took when it last succeeded, found in the newest executions and where their caches led.

    Steps that never succeeded are left out. `place` is added to the execution's id, such as " on this machine".
    """
    try:
        listed = sagemaker.list_pipeline_executions(
            PipelineName=pipeline_name, SortBy="CreationTime", SortOrder="Descending", MaxResults=LOOKED_AT
        )
    except sagemaker.exceptions.ResourceNotFound:
        return {}
    found: dict[str, Measured] = {}
    waiting = [entry["PipelineExecutionArn"] for entry in listed["PipelineExecutionSummaries"]]
    for arn in waiting:  # it grows: what a step took from the cache was measured in the execution that made it
        execution = describe(sagemaker, arn)
        for step in execution.steps:
            seconds = step.seconds()
            job = step.job
            if not job or step.status != "Succeeded" or step.name in found or seconds is None:
                continue
            if step.cache_hit is None:
                found[step.name] = Measured(seconds, f"{execution.id}{place}", arn, job)
            elif step.cache_hit not in waiting:
                waiting.append(step.cache_hit)
    return found


@cache
def prices() -> dict[str, Any]:
    """The table of prices: currency, date, source, and USD an hour by region and instance type."""
    table: dict[str, Any] = yaml.safe_load(PRICES.read_text(encoding="utf-8"))
    return table


def _cluster(step: Mapping[str, Any], values: Mapping[str, Any]) -> tuple[str | None, int | None]:
    found: Any = step.get("Arguments") or {}
    for name in CLUSTERS[step["Type"]]:
        found = found.get(name, {})
    kind, count = (resolved(found.get(name), values) for name in ("InstanceType", "InstanceCount"))
    return kind if isinstance(kind, str) else None, count if isinstance(count, int) else None
