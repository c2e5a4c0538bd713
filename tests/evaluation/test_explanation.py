"""The contributions of a row add up to its prediction, and features that say the same are one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from evaluation.dependence import partial_dependence
from evaluation.explanation import LIMITS, explain
from evaluation.labels import Labels
from evaluation.plain_words import coefficients
from steps import features as feature_module
from steps.attribution import groups_of
from steps.linear import LinearModel
from steps.model import Model
from steps.row_source import InMemory
from tests.evaluation.conftest import trained_on

pytestmark = pytest.mark.e2e

LABELS = Labels({})


def features_of(model: Model, rows: pd.DataFrame) -> pd.DataFrame:
    return feature_module.transform(rows, model.features)


def test_expected_value_and_contributions_add_up_to_the_prediction(model: Model, rows: pd.DataFrame) -> None:
    explanation = explain(model, InMemory(features_of(model, rows)), at_most=50)
    assert len(explanation.rows) == 50
    predicted = model.features.scaled(model.predict(rows.iloc[explanation.rows]))
    assert explanation.expected + explanation.contributions.sum(axis=1).to_numpy() == pytest.approx(predicted, abs=2e-5)


@pytest.mark.parametrize("start", ["mean", "out_of_fold_line"])
def test_they_add_up_wherever_boosting_starts(rows: pd.DataFrame, start: str) -> None:
    """The trees split the category by sets of levels; from the mean the line adds nothing."""
    model = trained_on(rows, start)
    explanation = explain(model, InMemory(features_of(model, rows)), at_most=100)
    predicted = model.features.scaled(model.predict(rows.iloc[explanation.rows]))
    assert explanation.expected + explanation.contributions.sum(axis=1).to_numpy() == pytest.approx(predicted, abs=2e-5)
    assert set(explanation.contributions) - {LIMITS} == {"size", "kind"}


def test_they_add_up_where_values_are_missing(rows: pd.DataFrame) -> None:
    """What a missing value adds belongs to its feature, in the line and in the trees."""
    gappy = rows.assign(size=rows["size"].where(np.arange(len(rows)) % 4 > 0))
    model = trained_on(gappy)
    assert model.features.gaps == ("size",)
    explanation = explain(model, InMemory(features_of(model, gappy)), at_most=100)
    assert explanation.table["size"].isna().any()
    predicted = model.features.scaled(model.predict(gappy.iloc[explanation.rows]))
    assert explanation.expected + explanation.contributions.sum(axis=1).to_numpy() == pytest.approx(predicted, abs=2e-5)
    (dependence,) = partial_dependence(model, explanation.table, "xgboost", ["size"])
    assert np.isfinite(dependence.predictions).all()
    assert coefficients(model, explanation, LABELS)


def test_they_add_up_where_the_prediction_is_held_within_the_range(model: Model, rows: pd.DataFrame) -> None:
    steep = replace(model, linear=LinearModel(model.linear.intercept, {"size": 2.0}, model.linear.levels))
    explanation = explain(steep, InMemory(features_of(steep, rows)), at_most=100)
    assert explanation.contributions[LIMITS].abs().max() > 1
    predicted = model.features.scaled(steep.predict(rows.iloc[explanation.rows]))
    assert explanation.expected + explanation.contributions.sum(axis=1).to_numpy() == pytest.approx(predicted, abs=2e-5)


def test_what_drives_the_target_is_the_most_important(model: Model, rows: pd.DataFrame) -> None:
    explanation = explain(model, InMemory(features_of(model, rows)), at_most=60)
    assert list(explanation.importance.index[:2]) == ["size", "kind"]
    assert explain(model, InMemory(features_of(model, rows)), 60).contributions.equals(explanation.contributions)


def test_features_that_say_the_same_are_one() -> None:
    random = np.random.default_rng(0)
    built = random.integers(1900, 2015, 500).astype(float)
    table = pd.DataFrame(
        {"built": built, "size": random.normal(0, 1, 500), "age": 2015 - built, "same": 3.0, "code": built % 7}
    ).assign(mean_of_code=lambda table: table["code"] ** 2)
    assert groups_of(table, ["code"]) == {
        "built + age": ("built", "age"),
        "size": ("size",),
        "same": ("same",),
        "code + mean_of_code": ("code", "mean_of_code"),
    }


def test_features_between_which_others_stand_are_one_group_and_a_hint_of_a_correlation_makes_none() -> None:
    """a and c are further apart than SAME, but both are near b; d is like none, and -a says what a says."""
    random = np.random.default_rng(0)
    a, noise = random.normal(size=4000), random.normal(size=(3, 4000))
    b = a + 0.2 * noise[0]
    table = pd.DataFrame({"a": a, "d": 0.8 * a + noise[2], "b": b, "c": b + 0.2 * noise[1], "less": -a})
    assert np.corrcoef(table["a"], table["c"])[0, 1] < np.sqrt(0.95) < np.corrcoef(table["a"], table["b"])[0, 1]
    assert groups_of(table, []) == {"a + b + c + less": ("a", "b", "c", "less"), "d": ("d",)}
    shuffled = table[["c", "less", "d", "a", "b"]]
    assert groups_of(shuffled, []) == {"c + less + a + b": ("c", "less", "a", "b"), "d": ("d",)}
    assert groups_of(table[["a"]], []) == {"a": ("a",)}
    assert groups_of(table.assign(constant=1.0)[["a", "constant"]], []) == {"a": ("a",), "constant": ("constant",)}


def test_dependence_follows_the_feature(model: Model, rows: pd.DataFrame) -> None:
    table = feature_module.transform(rows[:50], model.features)
    (found,) = partial_dependence(model, table, "linear", ["size"], points=5)
    expected = [model.predict_features(table.assign(size=value), "linear").mean() for value in found.values]
    assert found.predictions == pytest.approx(expected)
    assert np.all(np.diff(found.predictions) > 0)
    assert found.distribution.sum() == pytest.approx(1)


def test_coefficients_are_sentences_with_the_effect(model: Model, rows: pd.DataFrame) -> None:
    explanation = explain(model, InMemory(features_of(model, rows)), at_most=100)
    spread = explanation.table["size"].std(ddof=0)
    effect = np.expm1(model.linear.coefficients["size"] * spread)
    sentences = coefficients(model, explanation, LABELS)
    assert f"size: {spread:,.3g} more, a usual difference, changes the prediction by {effect:+.1%}".replace(
        "%", " %"
    ) in " ".join(sentences)
    assert "kind: from a, the lowest, to b, the highest" in " ".join(sentences)
