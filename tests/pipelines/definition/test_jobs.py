"""What all jobs share."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.definition.bundle import Bundle
from pipelines.definition.job_code import JobCode
from pipelines.definition.offline_session import offline_session
from pipelines.errors import PipelineError
from pipelines.images.image import image
from pipelines.settings.environment import Environment
from pipelines.settings.settings import default_config, load_settings
from pipelines.settings.tuning_settings import OBJECTIVES
from steps.training_metrics import METRICS, line

if TYPE_CHECKING:  # it imports the SDK, which a process that runs none of these tests does without
    from pipelines.definition.jobs import JobFactory

pytestmark = pytest.mark.e2e

SETTINGS = load_settings(default_config())
ENVIRONMENT = Environment.from_env({"SAGEMAKER_BUCKET": "my-bucket"})
BUNDLES = {name: Bundle({f"{name}.py": b""}) for name in ("steps.look", "steps.fit")}
CODE = JobCode("mine", BUNDLES, image("3.2-0"))


@pytest.fixture
def factory() -> Iterator[JobFactory]:
    from pipelines.definition.jobs import Instances, JobFactory

    machines = Instances("ml.m5.large", SETTINGS.jobs.processing)
    with offline_session(ENVIRONMENT) as session:
        yield JobFactory(SETTINGS, ENVIRONMENT, session, CODE, {"project": "x"}, processing=machines, training=machines)


def test_a_processing_step_runs_its_module_from_the_unpacked_bundle(factory: JobFactory) -> None:
    step = factory.processing("Look", "steps.look", {"data": "s3://b/data"}, ["seen"], "Looks at the data.")
    request: dict[str, Any] = step.to_request()
    assert request["Description"] == "Looks at the data."
    arguments = request["Arguments"]
    assert arguments["AppSpecification"]["ContainerEntrypoint"][-1] == "steps.look"
    inputs = {entry["InputName"]: entry["S3Input"] for entry in arguments["ProcessingInputs"]}
    assert inputs["code"]["S3Uri"] == f"s3://my-bucket/mine/code/{BUNDLES['steps.look'].digest}/sourcedir.tar.gz"
    assert inputs["data"]["LocalPath"] == "/opt/ml/processing/input/data"
    assert (
        arguments["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["LocalPath"] == "/opt/ml/processing/output/seen"
    )
    assert arguments["StoppingCondition"] == {"MaxRuntimeInSeconds": 3600}


def test_a_training_step_runs_its_module_from_the_unpacked_bundle_with_its_hyperparameters(factory: JobFactory) -> None:
    step = factory.training("Fit", "steps.fit", {"train": "s3://b/train"}, {"depth": "3"}, "Fits.")
    arguments: dict[str, Any] = step.to_request()["Arguments"]
    assert arguments["HyperParameters"] == {"depth": "3"}  # and nothing of script mode
    *shell, archive, module = arguments["AlgorithmSpecification"]["ContainerEntrypoint"]
    assert (archive, module) == ("/opt/ml/input/data/code/sourcedir.tar.gz", "steps.fit")
    channels = {entry["ChannelName"]: entry["DataSource"]["S3DataSource"] for entry in arguments["InputDataConfig"]}
    assert list(channels) == ["code", "train"]
    assert channels["code"]["S3Uri"] == f"s3://my-bucket/{CODE.key('steps.fit')}"
    assert arguments["Tags"] == [{"Key": "project", "Value": "x"}]
    look = factory.processing("Look", "steps.look", {}, ["seen"], "Looks.").to_request()["Arguments"]
    assert look["AppSpecification"]["ContainerEntrypoint"][:3] == shell  # one line for all jobs


def test_a_training_job_defines_every_metric_that_train_prints(factory: JobFactory) -> None:
    step = factory.training("Fit", "steps.fit", {"train": "s3://b/train"}, {}, "Fits.")
    definitions = step.to_request()["Arguments"]["AlgorithmSpecification"]["MetricDefinitions"]
    found = {
        definition["Name"]: re.findall(definition["Regex"], line(definition["Name"], 1234567.5))
        for definition in definitions
    }
    assert found == {name: ["1234567.500000"] for name in METRICS}
    assert set(OBJECTIVES) <= set(METRICS)


def test_an_output_is_a_reference_to_the_step_that_makes_it(factory: JobFactory) -> None:
    step = factory.processing("Look", "steps.look", {}, ["seen"], "Looks.")
    expected = "Steps.Look.ProcessingOutputConfig.Outputs['seen'].S3Output.S3Uri"
    from pipelines.definition.jobs import output_of

    assert output_of(step, "seen").expr == {"Get": expected}


@pytest.mark.parametrize(
    ("version", "region", "words"),
    [
        ("9.9-9", "us-east-1", "no xgboost image 9.9-9 in us-east-1"),
        ("3.0-5", "mars-1", "no xgboost image 3.0-5 in mars-1"),
    ],
)
def test_an_image_that_does_not_exist_is_told_in_one_sentence(version: str, region: str, words: str) -> None:
    jobs = SETTINGS.jobs.model_copy(update={"image_version": version})
    settings = SETTINGS.model_copy(update={"jobs": jobs})
    from pipelines.definition.jobs import Instances, JobFactory

    machines = Instances("ml.m5.large", SETTINGS.jobs.processing)
    environment = Environment.from_env({"AWS_REGION": region})
    with offline_session(ENVIRONMENT) as session, pytest.raises(PipelineError, match=words) as caught:
        _ = JobFactory(settings, environment, session, CODE, {}, processing=machines).image
    assert "3.0-5" in str(caught.value) or "us-east-1" in str(caught.value)
