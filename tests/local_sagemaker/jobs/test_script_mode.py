"""Hyperparameters as arguments and SM_ variables."""

import json
from typing import Any

import pytest

from local_sagemaker.jobs.script_mode import Script, script_variables

RESOURCES = {"current_host": "algo-2", "hosts": ["algo-1", "algo-2"], "network_interface_name": "lo"}


def script(**hyperparameters: str) -> Script:
    return Script("job", hyperparameters, RESOURCES, {"train": {"TrainingInputMode": "File"}}, 4)


@pytest.mark.parametrize(
    ("text", "argument", "variable"),
    [
        ("3", "3", "3"),
        ("0.10", "0.1", "0.1"),
        ("1e-3", "0.001", "0.001"),
        ("true", "True", "true"),
        ("null", "", ""),
        ("plain", "plain", "plain"),
        ('"quoted"', "quoted", "quoted"),
        ("[1, 2]", "[1, 2]", "[1,2]"),
        ('{"b": 1, "a": "x"}', "a=x,b=1", '{"a":"x","b":1}'),
        ("", "", ""),
    ],
)
def test_a_value_is_json_where_it_can_be(text: str, argument: str, variable: str) -> None:
    made = script(value=text)
    assert made.arguments == ["--value", argument]
    assert script_variables(made)["SM_HP_VALUE"] == variable


def test_the_framework_s_hyperparameters_are_not_the_script_s() -> None:
    made = script(
        sagemaker_program='"train.py"', sagemaker_submit_directory="s3://b/c", sagemaker_mode="x", d="1",
        _tuning_objective_metric="rmse",
    )  # fmt: skip
    assert (made.program, made.submit_directory) == ("train.py", "s3://b/c")
    assert made.arguments == ["-d", "1"]
    variables = script_variables(made)
    assert json.loads(variables["SM_FRAMEWORK_PARAMS"]) == {"sagemaker_mode": "x"}
    assert (variables["SM_MODULE_NAME"], variables["SM_MODULE_DIR"]) == ("train", "s3://b/c")
    assert variables["SM_USER_ENTRY_POINT"] == "train.py"


def test_a_second_host_is_not_the_master() -> None:
    environment: dict[str, Any] = json.loads(script_variables(script())["SM_TRAINING_ENV"])
    assert (environment["is_master"], environment["master_hostname"]) == (False, "algo-1")
    assert environment["channel_input_dirs"] == {"train": "/opt/ml/input/data/train"}
