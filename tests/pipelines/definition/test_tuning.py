"""With `tuning` in the YAML, Train is a tuning step whose best model goes on; without, nothing changes."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from pipelines.definition.compilation import compile_pipeline
from pipelines.errors import PipelineError
from pipelines.settings.environment import Environment
from pipelines.settings.settings import default_config, load_settings

pytestmark = pytest.mark.e2e

TUNING = {
    "max_jobs": 6,
    "max_parallel_jobs": 3,
    "ranges": {
        "max_depth": {"min": 3, "max": 8},
        "learning_rate": {"min": 0.02, "max": 0.3, "scaling": "Logarithmic"},
        "subsample": {"values": [0.6, 0.8]},
    },
}
SUBNETS = {"SAGEMAKER_SUBNETS": "subnet-0a1b2c3d", "SAGEMAKER_SECURITY_GROUP_IDS": "sg-0a1b2c3d"}
KEY = "arn:aws:kms:us-east-1:111122223333:key/1"


def config(folder: Path, tuning: Any) -> Path:
    document = yaml.safe_load(default_config().read_text())
    file = folder / "tuned.yaml"
    file.write_text(yaml.safe_dump({**document, "tuning": tuning}, sort_keys=False))
    return file


@pytest.fixture(scope="module")
def definition(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    settings = load_settings(config(tmp_path_factory.mktemp("tuned"), TUNING))
    environment = Environment.from_env({"SAGEMAKER_KMS_KEY": KEY, **SUBNETS})
    first, second = (compile_pipeline(settings, environment).definition for _ in range(2))
    assert first == second
    return dict(json.loads(first))


@pytest.fixture(scope="module")
def train(definition: dict[str, Any]) -> dict[str, Any]:
    return dict(next(step for step in definition["Steps"] if step["Name"] == "Train"))


def test_train_is_a_tuning_job_that_aws_understands(train: dict[str, Any]) -> None:
    assert train["Type"] == "Tuning"
    model = ServiceModel(Loader().load_service_model("sagemaker", "service-2"), "sagemaker")
    shape = model.operation_model("CreateHyperParameterTuningJob").input_shape
    text = json.dumps(train["Arguments"]).replace('{"Get": "Parameters.TrainingInstanceCount"}', "1")
    request = {"HyperParameterTuningJobName": "x", **json.loads(text, object_hook=_as_text)}
    assert ParamValidator().validate(request, shape).generate_report() == ""
    job = train["Arguments"]["HyperParameterTuningJobConfig"]
    assert job["ResourceLimits"] == {"MaxNumberOfTrainingJobs": 6, "MaxParallelTrainingJobs": 3}
    assert job["HyperParameterTuningJobObjective"] == {"Type": "Minimize", "MetricName": "validation:rmse"}
    ranges = job["ParameterRanges"]
    assert [entry["Name"] for entry in ranges["IntegerParameterRanges"]] == ["max_depth"]
    assert ranges["ContinuousParameterRanges"][0]["ScalingType"] == "Logarithmic"
    assert ranges["CategoricalParameterRanges"] == [{"Name": "subsample", "Values": ["0.6", "0.8"]}]


def _as_text(node: dict[str, Any]) -> Any:
    return "text" if set(node) in ({"Get"}, {"Std:Join"}) else node


def test_its_training_jobs_have_what_a_single_one_has(train: dict[str, Any]) -> None:
    job = train["Arguments"]["TrainingJobDefinition"]
    static = job["StaticHyperParameters"]
    assert static["sagemaker_program"] == "steps.train"
    assert not {"max_depth", "learning_rate", "subsample"} & set(static)
    assert {"rounds", "coverage", "seed"} <= set(static)
    assert [channel["ChannelName"] for channel in job["InputDataConfig"]] == ["train", "validation", "features"]
    assert job["ResourceConfig"]["VolumeKmsKeyId"] == job["OutputDataConfig"]["KmsKeyId"] == KEY
    assert job["VpcConfig"] == {"Subnets": ["subnet-0a1b2c3d"], "SecurityGroupIds": ["sg-0a1b2c3d"]}


def test_the_best_model_goes_to_the_evaluation_and_to_the_registry(definition: dict[str, Any]) -> None:
    best = "Steps.Train.TrainingJobSummaries[0].TrainingJobName"
    steps = {step["Name"]: step for step in definition["Steps"]}
    assert best in json.dumps(steps["Evaluate"])
    assert best in json.dumps(steps["CheckQuality"]["Arguments"]["IfSteps"])


def test_what_the_tuning_job_chooses_is_no_parameter(definition: dict[str, Any]) -> None:
    names = {entry["Name"] for entry in definition["Parameters"]}
    assert not {"MaxDepth", "LearningRate"} & names
    assert {"Rounds", "EarlyStoppingRounds"} <= names


@pytest.mark.parametrize(
    ("tuning", "words"),
    [
        ({"ranges": {"max_dept": {"min": 1, "max": 2}}}, "max_dept is not .* of XGBoost; did you mean max_dep"),
        ({"ranges": {"max_depth": {"min": 0, "max": 4}}}, "tuning.ranges.max_depth: 0 is not possible"),
        ({"ranges": {"max_depth": {"min": 0.5, "max": 4}}}, "tuning.ranges.max_depth: 0.5 is not possible"),
        ({"ranges": {"subsample": {"values": [0.5, 1.5]}}}, "tuning.ranges.subsample: 1.5 is not possible"),
        ({"ranges": {"max_depth": {"min": 5, "max": 4}}}, "min must be smaller"),
        ({"ranges": {"max_depth": {"min": 5}}}, "give min and max, or values"),
        ({"ranges": {"max_depth": {"min": 5, "max": 7, "values": [5]}}}, "give min and max, or values"),
        ({"ranges": {"reg_lambda": {"min": 0, "max": 4, "scaling": "Logarithmic"}}}, "needs a min above 0"),
        ({"ranges": {}}, "tuning.ranges"),
        ({"ranges": {"max_depth": {"min": 3, "max": 5}}, "strategy": "Grid"}, "Grid needs .* max_depth has none"),
        ({"ranges": {"max_depth": {"values": [3]}}, "strategy": "Grid", "max_jobs": 3}, "max_jobs is not for Grid"),
        ({"ranges": {"max_depth": {"values": [3]}}, "strategi": "Grid"}, "not a setting; did you mean strategy"),
        ({"ranges": {"max_depth": {"values": [3]}}, "objective": "test:rmse"}, "tuning.objective"),
    ],
)
def test_a_tuning_that_cannot_work_is_refused_with_its_place(tmp_path: Path, tuning: Any, words: str) -> None:
    with pytest.raises(PipelineError, match=words):
        load_settings(config(tmp_path, tuning))


def test_a_grid_trains_every_combination(tmp_path: Path) -> None:
    ranges = {"max_depth": {"values": [3, 4, 5]}, "subsample": {"values": [0.5, 1.0]}}
    tuning = load_settings(config(tmp_path, {"strategy": "Grid", "ranges": ranges})).tuning
    assert tuning is not None
    assert tuning.jobs == 6
