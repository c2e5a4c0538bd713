"""Which pipelines a settings file has, and which one a person means."""

import json

import pytest

from pipelines.definition.catalogue import chosen
from pipelines.definition.compilation import compile_pipeline
from pipelines.errors import PipelineError
from pipelines.settings.environment import Environment
from pipelines.settings.settings import default_config, load_settings

pytestmark = pytest.mark.e2e

SETTINGS = load_settings(default_config())


@pytest.mark.parametrize(
    ("name", "meant"),
    [(None, "training"), ("validation", "validation"), ("house-prices-validation", "validation")],
)
def test_a_pipeline_is_meant_by_its_name_with_or_without_the_projects(name: str | None, meant: str) -> None:
    assert chosen(SETTINGS, name) == meant


def test_an_unknown_pipeline_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(PipelineError, match="no pipeline trainin: did you mean training"):
        chosen(SETTINGS, "trainin")
    only_training = SETTINGS.model_copy(update={"pipelines": ["training"]})
    with pytest.raises(PipelineError, match=r"the settings have training \(pipelines: in the YAML\)"):
        chosen(only_training, "validation")


def test_the_validation_pipeline_is_the_first_step_of_the_training_pipeline_alone() -> None:
    environment = Environment.from_env({})
    validation = compile_pipeline(SETTINGS, environment, pipeline="validation")
    training = compile_pipeline(SETTINGS, environment)
    assert validation.name == "house-prices-validation"
    (step,) = json.loads(validation.definition)["Steps"]
    assert step == json.loads(training.definition)["Steps"][0]
