"""The limits of the hyperparameters are those of the job, of the YAML and of tuning ranges alike."""

import pytest
from pydantic import ValidationError

from pipelines.settings.settings import XGBoostSettings
from steps.hyperparameters import HYPERPARAMETERS
from steps.train import _parser

REQUIRED = {"max_depth": 6, "learning_rate": 0.05, "rounds": 100, "early_stopping_rounds": 5}
BOUNDED = [name for name in XGBoostSettings.model_fields if HYPERPARAMETERS[name].high != float("inf")]


@pytest.mark.parametrize("name", BOUNDED)
@pytest.mark.parametrize("end", ["low", "high"])
def test_the_yaml_takes_the_ends_and_nothing_beyond_as_the_job_does(name: str, end: str) -> None:
    limits = HYPERPARAMETERS[name]
    value = limits.kind(getattr(limits, end))
    step = 1 if limits.kind is int else 1e-9
    beyond = value + (step if end == "high" else -step)
    assert getattr(XGBoostSettings(**{**REQUIRED, name: value}), name) == value
    assert _parser().parse_args([f"--{name}", str(value)])
    with pytest.raises(ValidationError):
        XGBoostSettings(**{**REQUIRED, name: beyond})
    with pytest.raises(ValueError, match="is not a"):
        limits.parse(str(beyond))


def test_what_the_yaml_leaves_out_is_what_the_job_takes_without_it() -> None:
    settings, job = XGBoostSettings(**REQUIRED), vars(_parser().parse_args([]))
    for name in set(XGBoostSettings.model_fields) - set(REQUIRED):
        assert getattr(settings, name) == job[name] == HYPERPARAMETERS[name].default


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_a_hyperparameter_is_a_finite_number(value: float) -> None:
    with pytest.raises(ValidationError):
        XGBoostSettings(**{**REQUIRED, "min_child_weight": value})
