"""The pipeline that watches: what calls AWS is a function, all else a job."""

import json
from typing import Any

import pytest

from pipelines.definition.compilation import compile_pipeline
from pipelines.settings.environment import Environment
from pipelines.settings.settings import default_config, load_settings

pytestmark = pytest.mark.e2e

SETTINGS = load_settings(default_config())


@pytest.fixture(scope="module")
def definition() -> dict[str, Any]:
    text = compile_pipeline(SETTINGS, Environment.from_env({}), pipeline="monitoring").definition
    assert text == compile_pipeline(SETTINGS, Environment.from_env({}), pipeline="monitoring").definition
    return dict(json.loads(text))


@pytest.fixture(scope="module")
def steps(definition: dict[str, Any]) -> dict[str, Any]:
    found = {step["Name"]: step for step in definition["Steps"]}
    return found | {step["Name"]: step for step in found["Decide"]["Arguments"]["IfSteps"]}


def test_the_steps_are_those_of_the_design(definition: dict[str, Any], steps: dict[str, Any]) -> None:
    assert [(name, step["Type"]) for name, step in steps.items()] == [
        ("CollectWindow", "Lambda"),
        ("Observe", "Processing"),
        ("Decide", "Condition"),
        ("Act", "Lambda"),
    ]
    assert steps["Decide"]["Arguments"]["ElseSteps"] == []
    assert len(definition["Steps"]) == 3


def test_the_job_reads_what_the_function_found(steps: dict[str, Any]) -> None:
    inputs = {each["InputName"]: each["S3Input"] for each in steps["Observe"]["Arguments"]["ProcessingInputs"]}
    for name, output in (("model", "Model"), ("reference", "Reference"), ("window", "Manifest")):
        assert inputs[name]["S3Uri"] == {"Get": f"Steps.CollectWindow.OutputParameters['{output}']"}
    assert {name: each["S3DataType"] for name, each in inputs.items() if each["S3DataType"] != "S3Prefix"} == {
        "window": "ManifestFile"
    }


def test_a_window_without_enough_data_is_not_acted_on(steps: dict[str, Any]) -> None:
    (condition,) = steps["Decide"]["Arguments"]["Conditions"]
    assert condition["Type"] == "In"
    assert condition["Values"] == ["ok", "watch", "retrain"]


def test_the_last_whole_window_of_the_last_stage_is_the_default(definition: dict[str, Any]) -> None:
    defaults = {each["Name"]: each.get("DefaultValue") for each in definition["Parameters"]}
    assert (defaults["Stage"], defaults["Since"], defaults["Until"]) == ("production", "last", "last")


def test_the_functions_are_those_of_the_roles_account_or_of_the_environment(steps: dict[str, Any]) -> None:
    arn = "arn:aws:lambda:us-east-1:000000000000:function:house-prices-monitoring-collect"
    assert steps["CollectWindow"]["FunctionArn"] == arn
    named = "arn:aws:lambda:eu-west-1:123456789012:function:mine"
    chosen = Environment.from_env({"SAGEMAKER_MONITORING_FUNCTIONS": named})
    assert chosen.function_arn("house-prices", "act") == f"{named}-act"
