"""The trials of a tuning step."""

from datetime import datetime, timezone
from typing import Any

import pytest

from pipelines.watching.executions import describe
from pipelines.watching.trials import tunings
from tests.pipelines.conftest import Executions, execution_arn, job, step

BEGAN = datetime(2026, 1, 1, tzinfo=timezone.utc).timestamp()


def trial(name: str, value: float | None, depth: str) -> dict[str, Any]:
    metric = (
        {} if value is None else {"FinalHyperParameterTuningJobObjectiveMetric": {"MetricName": "m", "Value": value}}
    )
    return {
        "TrainingJobName": name,
        "TrainingJobArn": f"arn:aws:sagemaker:eu-west-1:123456789012:training-job/{name}",
        "CreationTime": BEGAN,
        "TrainingStartTime": BEGAN,
        "TrainingEndTime": BEGAN + 3,
        "TrainingJobStatus": "Failed" if value is None else "Completed",
        "TunedHyperParameters": {"max_depth": depth},
        **metric,
    }


def tuned(executions: Executions, kind: str) -> None:
    objective = {"Type": kind, "MetricName": "validation:rmse"}
    pages = {
        None: ([trial("t-1", 3.0, "1"), trial("t-2", None, "2")], "more"),
        "more": ([trial("t-3", 1.0, "3")], None),
    }

    def listed(request: dict[str, Any]) -> dict[str, Any]:
        found, following = pages[request.get("NextToken")]
        return {"TrainingJobSummaries": found, **({"NextToken": following} if following else {})}

    executions.aws.answers |= {
        "DescribeHyperParameterTuningJob": lambda request: {
            "HyperParameterTuningJobConfig": {"HyperParameterTuningJobObjective": objective},
            "BestTrainingJob": {"TrainingJobName": "t-3"},
        },
        "ListTrainingJobsForHyperParameterTuningJob": listed,
    }
    steps = [step("Prepare", Metadata=job("ProcessingJob", "p")), step("Train", Metadata=job("TuningJob", "t"))]
    executions.script = [("Succeeded", steps)]


@pytest.mark.parametrize(("kind", "order"), [("Minimize", ["t-3", "t-1", "t-2"]), ("Maximize", ["t-1", "t-3", "t-2"])])
def test_every_trial_is_there_the_best_metric_first_and_what_has_none_last(
    executions: Executions, kind: str, order: list[str]
) -> None:
    tuned(executions, kind)
    (found,) = tunings(executions.sagemaker, describe(executions.sagemaker, execution_arn("abc")))
    assert (found.step, found.job, found.goal) == ("Train", "t", f"{kind} validation:rmse")
    assert [each.job for each in found.trials] == order
    assert [each.job for each in found.trials if each.best] == ["t-3"]
    first = next(each for each in found.trials if each.job == "t-1")
    assert (first.objective, first.seconds, first.hyperparameters) == (3.0, 3.0, {"max_depth": "1"})


def test_an_execution_without_tuning_asks_for_nothing(executions: Executions) -> None:
    executions.script = [("Succeeded", [step("Train", Metadata=job("TrainingJob", "t"))])]
    assert tunings(executions.sagemaker, describe(executions.sagemaker, execution_arn("abc"))) == []
    assert executions.aws.asked("DescribeHyperParameterTuningJob") == []
