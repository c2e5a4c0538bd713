"""The limits of the hyperparameters are those of the job, of the YAML and of tuning ranges alike."""

from typing import get_args

import pytest
from pydantic import ValidationError

from pipelines.settings.candidate_settings import XGBoostSettings
from steps.hyperparameters import HYPERPARAMETERS, STARTS, column_share
from steps.train import _parser

REQUIRED = {"max_depth": 6, "learning_rate": 0.05, "rounds": 100, "early_stopping_rounds": 5}
BOUNDED = [
    name
    for name in HYPERPARAMETERS
    if name in XGBoostSettings.model_fields and HYPERPARAMETERS[name].high != float("inf")
]


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
    for name in set(XGBoostSettings.model_fields) - set(REQUIRED) - {"start"}:
        assert getattr(settings, name) == job[name] == HYPERPARAMETERS[name].default
    assert settings.start == job["start"] == STARTS[0]


def test_the_yaml_takes_the_starts_that_the_job_takes() -> None:
    assert get_args(XGBoostSettings.model_fields["start"].annotation) == STARTS
    with pytest.raises(ValidationError, match="start"):
        XGBoostSettings(**REQUIRED, start="median")


@pytest.mark.parametrize(("features", "share"), [(1, 1.0), (8, 1.0), (10, 0.8), (20, 0.4), (500, 0.4)])
def test_each_tree_sees_all_of_few_features_and_a_share_of_many(features: int, share: float) -> None:
    assert column_share(features) == pytest.approx(share)


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_a_hyperparameter_is_a_finite_number(value: float) -> None:
    with pytest.raises(ValidationError):
        XGBoostSettings(**{**REQUIRED, "min_child_weight": value})
