"""Features learn from training rows only, and are the same wherever they are computed."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from steps.failure import JobError
from steps.features import Features, transform
from steps.fitting import fit, fit_transform
from steps.settings import JobSettings


def test_every_feature_is_a_number_and_nothing_is_missing(typed_rents: pd.DataFrame, settings: JobSettings) -> None:
    table = transform(typed_rents, fit(typed_rents, settings.data))
    assert tuple(table.columns) == settings.data.features
    assert set(table.dtypes) == {np.dtype("float64")}
    assert np.isfinite(table.to_numpy()).all()


def test_missing_values_become_the_median_of_the_training_rows(
    typed_rents: pd.DataFrame, settings: JobSettings
) -> None:
    fitted = fit(typed_rents, settings.data)
    missing = typed_rents["rooms"].isna()
    assert missing.any()
    assert (transform(typed_rents, fitted).loc[missing, "rooms"] == typed_rents["rooms"].median()).all()


def test_unknown_and_missing_levels_are_minus_one(typed_rents: pd.DataFrame, settings: JobSettings) -> None:
    fitted = fit(typed_rents, settings.data)
    rows = typed_rents.head(3).assign(district=["south", "moon", None])
    assert transform(rows, fitted)["district"].tolist() == [2.0, -1.0, -1.0]


def test_features_that_are_not_learned_do_not_depend_on_any_target(
    typed_rents: pd.DataFrame, settings: JobSettings
) -> None:
    permuted = typed_rents.assign(rent=typed_rents["rent"].sample(frac=1, random_state=3).to_numpy())
    _, first = fit_transform(typed_rents, settings.data)
    _, second = fit_transform(permuted, settings.data)
    learned = list(settings.data.learned)
    pd.testing.assert_frame_equal(first.drop(columns=learned), second.drop(columns=learned))
    assert (first[learned] != second[learned]).any().all()


def test_a_training_rows_own_target_changes_none_of_its_features(
    typed_rents: pd.DataFrame, settings: JobSettings
) -> None:
    """Nor do the targets of its group: rows 3 and 4 are of one flat."""
    rows = typed_rents.copy()
    rows.loc[4, "flat"] = rows.loc[3, "flat"]
    _, before = fit_transform(rows, settings.data)
    rows.loc[[3, 4], "rent"] *= 40
    _, after = fit_transform(rows, settings.data)
    pd.testing.assert_frame_equal(before.loc[[3, 4]], after.loc[[3, 4]])
    assert (before != after).any(axis=None)


def test_training_rows_differ_from_new_ones_in_learned_features_only(
    typed_rents: pd.DataFrame, settings: JobSettings
) -> None:
    fitted, own = fit_transform(typed_rents, settings.data)
    as_new = transform(typed_rents, fitted)
    assert set(own.columns[(own != as_new).any()]) == set(settings.data.learned)


def test_one_row_gets_the_features_that_it_gets_among_many(typed_rents: pd.DataFrame, settings: JobSettings) -> None:
    fitted = fit(typed_rents, settings.data)
    together = transform(typed_rents, fitted)
    pd.testing.assert_frame_equal(transform(typed_rents.iloc[[5]], fitted), together.iloc[[5]])


def test_json_round_trip(typed_rents: pd.DataFrame, settings: JobSettings) -> None:
    fitted = fit(typed_rents, settings.data)
    again = Features.from_json(json.loads(json.dumps(fitted.to_json())))
    assert again == fitted
    pd.testing.assert_frame_equal(transform(typed_rents, again), transform(typed_rents, fitted))


@pytest.mark.parametrize("scale", ["log", "linear"])
def test_predictions_stay_within_the_training_range(
    typed_rents: pd.DataFrame, settings: JobSettings, scale: str
) -> None:
    fitted = fit(typed_rents, replace(settings.data, target_scale=scale))
    low, high = typed_rents["rent"].min(), typed_rents["rent"].max()
    predicted = fitted.unscaled(np.array([-1e9, *fitted.scaled(np.array([500.0])), 1e9, np.nan]))
    np.testing.assert_allclose(predicted, [low, 500.0, high, np.nan])


def test_log_of_a_target_that_is_not_positive_is_refused_with_the_alternative(
    typed_rents: pd.DataFrame, settings: JobSettings
) -> None:
    typed_rents.loc[0, "rent"] = 0.0
    with pytest.raises(JobError, match=r"values down to 0 \(1 of 600 rows .* set data\.target_scale to linear"):
        fit(typed_rents, settings.data)


def test_feature_without_any_value_is_named(typed_rents: pd.DataFrame, settings: JobSettings) -> None:
    with pytest.raises(JobError, match="feature rooms has no value"):
        fit(typed_rents.assign(rooms=np.nan), settings.data)
