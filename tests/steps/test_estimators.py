"""A regressor of scikit-learn that the YAML names is fitted on the same features, or refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from steps import features as feature_module
from steps.estimators import Estimator, predictions
from steps.failure import JobError
from steps.part_files import read_parts
from steps.row_source import InMemory

FOREST = Estimator(
    estimator="sklearn.ensemble.RandomForestRegressor",
    parameters={"n_estimators": 20, "max_features": 0.5, "n_jobs": 2},
)


@pytest.mark.e2e
def test_candidates_learn_from_the_training_part_and_predict_in_the_targets_unit(preprocessed: Path) -> None:
    features = feature_module.load(preprocessed / "features" / "features.json")
    train, other = (read_parts(preprocessed / name) for name in ("train", "validation"))
    chosen = {
        "forest": FOREST,
        "near": Estimator(estimator="sklearn.neighbors.KNeighborsRegressor", parameters={"n_neighbors": 8}),
        "boosted": Estimator(estimator="sklearn.ensemble.HistGradientBoostingRegressor"),
    }
    found = predictions(chosen, train, InMemory(other), features)
    assert list(found) == list(chosen)
    for name, predicted in found.items():
        assert predicted.shape == (len(other),)
        assert np.mean(np.abs(predicted / other["rent"] - 1)) < 0.25, name
    again = predictions({"forest": FOREST}, train, InMemory(other), features)
    np.testing.assert_array_equal(again["forest"], found["forest"])


@pytest.mark.parametrize(
    ("path", "parameters", "message"),
    [
        ("sklearn.ensemble.RandomForestRegresor", {}, "did you mean sklearn.ensemble.RandomForestRegressor"),
        ("sklearn.tree.RandomForestRegressor", {}, "did you mean sklearn.ensemble.RandomForestRegressor"),
        ("RandomForestRegressor", {}, "is not a regressor of scikit-learn; did you mean"),
        ("sklearn.ensemble.RandomForestClassifier", {}, "Classifier is not a regressor"),
        ("sklearn.base.RegressorMixin.predict", {}, "is not a regressor"),
        ("os.path.join", {}, "os.path.join is not a regressor of scikit-learn"),
        ("sklearn.linear_model.Ridge", {"aplha": 2}, "Ridge has no parameter aplha; did you mean alpha"),
        ("sklearn.ensemble.StackingRegressor", {}, "cannot be created from the YAML: .*estimators"),
    ],
)
def test_what_is_no_regressor_is_refused_with_what_was_probably_meant(
    path: str, parameters: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Estimator(estimator=path, parameters=parameters).make()


def test_a_value_that_scikit_learn_refuses_fails_the_job_with_the_candidates_name(preprocessed: Path) -> None:
    features = feature_module.load(preprocessed / "features" / "features.json")
    train = read_parts(preprocessed / "train")
    wrong = Estimator(estimator="sklearn.linear_model.Ridge", parameters={"alpha": -3})
    with pytest.raises(JobError, match=r"The candidate ridge \(sklearn.linear_model.Ridge\) cannot be fitted: .*alpha"):
        predictions({"ridge": wrong}, train, InMemory(train), features)
