"""A request for a tuning job is checked as a whole, and what is not built here is refused by name."""

from typing import Any

import pytest

from local_sagemaker.errors import ServiceError
from local_sagemaker.jobs.admission import without_effect
from local_sagemaker.tuning.plan import plan

OBJECTIVE = {"Type": "Minimize", "MetricName": "loss"}
CONFIG: dict[str, Any] = {
    "Strategy": "Random",
    "HyperParameterTuningJobObjective": OBJECTIVE,
    "ResourceLimits": {"MaxNumberOfTrainingJobs": 4, "MaxParallelTrainingJobs": 2},
    "ParameterRanges": {"IntegerParameterRanges": [{"Name": "depth", "MinValue": "1", "MaxValue": "9"}]},
}
DEFINITION: dict[str, Any] = {
    "AlgorithmSpecification": {
        "TrainingImage": "image",
        "TrainingInputMode": "File",
        "MetricDefinitions": [{"Name": "loss", "Regex": "loss=(.*)"}],
    },
    "StaticHyperParameters": {"eta": "0.1"},
    "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1},
}
CATEGORIES = {"CategoricalParameterRanges": [{"Name": "kind", "Values": ["a", "b"]}]}


def request(config: dict[str, Any], definition: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "HyperParameterTuningJobConfig": CONFIG | config,
        "TrainingJobDefinition": DEFINITION | definition,
        **fields,
    }


def test_a_training_job_gets_the_candidate_the_static_hyperparameters_and_its_objective() -> None:
    made = plan(request({}, {})).training_request("tune-001", {"depth": "3"})
    assert made["HyperParameters"] == {"_tuning_objective_metric": "loss", "eta": "0.1", "depth": "3"}
    assert made["ResourceConfig"] == DEFINITION["ResourceConfig"]
    assert made["TrainingJobName"] == "tune-001"


def test_ranges_and_objective_may_stand_in_the_training_job_definition() -> None:
    definition = DEFINITION | {"HyperParameterRanges": CONFIG["ParameterRanges"], "TuningObjective": OBJECTIVE}
    config = {"Strategy": "Random", "ResourceLimits": CONFIG["ResourceLimits"]}
    made = plan({"HyperParameterTuningJobConfig": config, "TrainingJobDefinitions": [definition]})
    assert (made.metric, made.maximize, made.jobs, made.parallel) == ("loss", False, 4, 2)


def test_a_grid_counts_its_combinations_by_itself() -> None:
    config = {"Strategy": "Grid", "ParameterRanges": CATEGORIES, "ResourceLimits": {"MaxParallelTrainingJobs": 1}}
    assert plan(request(config, {})).jobs == 2


@pytest.mark.parametrize(
    ("config", "definition", "fields", "words"),
    [
        ({"Strategy": "Hyperband"}, {}, {}, "tuning strategy Hyperband: use Bayesian, Random, or Grid"),
        ({"Strategy": "Grid"}, {}, {}, "takes only categorical parameters, not depth"),
        ({"Strategy": "Grid", "ParameterRanges": CATEGORIES}, {}, {}, "is 4, and the grid has 2 combinations"),
        ({}, {}, {"Autotune": {"Mode": "Enabled"}}, "Autotune"),
        ({}, {}, {"TrainingJobDefinitions": [DEFINITION]}, "more than one training job definition"),
        ({"HyperParameterTuningJobObjective": None}, {}, {}, "HyperParameterTuningJobObjective is missing"),
        ({"HyperParameterTuningJobObjective": OBJECTIVE | {"MetricName": "auc"}}, {}, {}, "auc is not among them"),
        ({"ResourceLimits": {"MaxParallelTrainingJobs": 1}}, {}, {}, "needs MaxNumberOfTrainingJobs or MaxRuntime"),
        ({}, {"StaticHyperParameters": {"depth": "1"}}, {}, "depth: a hyperparameter is either static or"),
        ({}, {"ResourceConfig": None}, {}, "ResourceConfig is missing"),
    ],
)
def test_what_cannot_be_done_is_refused(
    config: dict[str, Any], definition: dict[str, Any], fields: dict[str, Any], words: str
) -> None:
    asked = request(config, definition, **fields)
    asked["TrainingJobDefinition"] = {k: v for k, v in asked["TrainingJobDefinition"].items() if v is not None}
    with pytest.raises(ServiceError, match=words):
        plan(asked)


def test_early_stopping_is_told_to_each_training_job() -> None:
    asked = request({"TrainingJobEarlyStoppingType": "Auto"}, {})
    made = plan(asked).training_request("tune-001", {"depth": "3"})
    assert without_effect(made) == ["TrainingJobEarlyStoppingType"]
    assert without_effect(plan(request({}, {})).training_request("tune-001", {})) == []
    assert without_effect(plan(request({"TrainingJobEarlyStoppingType": "Off"}, {})).training_request("t", {})) == []
