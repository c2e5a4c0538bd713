"""Warm starts: what earlier tuning jobs have found, for a strategy that learns.

https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-warm-start.html
"""

from collections.abc import Iterable, Mapping
from typing import Any

from local_sagemaker.errors import invalid
from local_sagemaker.tuning.plan import Plan
from local_sagemaker.tuning.search import Candidate

RUNNING = ("InProgress", "Stopping")


def parents(request: Mapping[str, Any]) -> list[str]:
    """The names of the tuning jobs that a request begins with."""
    named = request.get("WarmStartConfig", {}).get("ParentHyperParameterTuningJobs", [])
    return [parent["HyperParameterTuningJobName"] for parent in named]


def check_parent(plan: Plan, name: str, parent: Mapping[str, Any] | None, parent_plan: Plan | None) -> None:
    """ValidationException where a tuning job cannot be the parent of a plan's."""
    if parent is None or parent_plan is None:
        raise invalid(f"The parent tuning job {name} of WarmStartConfig does not exist.")
    if parent["HyperParameterTuningJobStatus"] in RUNNING:
        raise invalid(f"The parent tuning job {name} is {parent['HyperParameterTuningJobStatus']}: wait for its end.")
    if (parent_plan.metric, parent_plan.maximize) != (plan.metric, plan.maximize):
        raise invalid(
            f"The parent tuning job {name} has another objective ({parent_plan.metric}): a warm start needs the same."
        )
    if parent_plan.hyperparameters != plan.hyperparameters:
        raise invalid(
            f"The parent tuning job {name} has {parent_plan.hyperparameters} static and tuned hyperparameters, this "
            f"one {plan.hyperparameters}: a warm start needs as many."
        )


def learned(plan: Plan, summaries: Iterable[Mapping[str, Any]]) -> list[tuple[Candidate, float]]:
    """The candidates of earlier training jobs that lie within the plan's ranges, with their objectives."""
    found = []
    for each in summaries:
        tuned, objective = each["TunedHyperParameters"], each["FinalHyperParameterTuningJobObjectiveMetric"]
        candidate = {own.name: tuned[own.name] for own in plan.ranges if own.name in tuned}
        if objective and len(candidate) == len(plan.ranges) and all(own.holds(tuned[own.name]) for own in plan.ranges):
            found.append((candidate, float(objective["Value"])))
    return found
