"""Features learn from training rows only, and are the same wherever they are computed."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from steps.failure import JobError
from steps.features import Features, transform
from steps.fitting import ENOUGH_GAPS, RARE, fit, fit_transform
from steps.settings import JobSettings


def test_every_feature_is_a_number_and_missing_only_where_many_training_rows_miss_it(
    typed_rents: pd.DataFrame, settings: JobSettings
) -> None:
    fitted = fit(typed_rents, settings.data)
    table = transform(typed_rents, fitted)
    assert tuple(table.columns) == settings.data.features
    assert set(table.dtypes) == {np.dtype("float64")}
    assert fitted.gaps == ("rooms", "area_per_room")
    missing = typed_rents["rooms"].isna()
    assert (table[list(fitted.gaps)].isna().any(axis=1) == missing).all()
    assert np.isfinite(table.drop(columns=list(fitted.gaps)).to_numpy()).all()


@pytest.mark.parametrize(("count", "kept"), [(ENOUGH_GAPS - 1, False), (ENOUGH_GAPS, True)])
def test_what_was_hardly_ever_missing_becomes_the_median_of_the_training_rows(
    typed_rents: pd.DataFrame, settings: JobSettings, count: int, kept: bool
) -> None:
    full = typed_rents.assign(rooms=typed_rents["rooms"].fillna(2.0))
    rows = full.assign(rooms=full["rooms"].where(np.arange(len(full)) >= count))
    fitted = fit(rows, settings.data)
    value = transform(rows, fitted).loc[0, "rooms"]
    assert np.isnan(value) if kept else value == rows["rooms"].median()


@pytest.mark.parametrize(("count", "known"), [(RARE - 1, False), (RARE, True)])
def test_a_rare_level_is_an_unknown_one_for_the_models_and_is_still_known_to_have_been_there(
    typed_rents: pd.DataFrame, settings: JobSettings, count: int, known: bool
) -> None:
    rows = typed_rents.assign(district=typed_rents["district"].where(np.arange(len(typed_rents)) >= count, "moon"))
    fitted = fit(rows, settings.data)
    assert ("moon" in fitted.levels["district"]) == known
    assert "moon" in fitted.known.levels["district"]
    assert (transform(rows, fitted).loc[0, "district"] == -1) == (not known)


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
    differs = (own != as_new) & ~(own.isna() & as_new.isna())
    assert set(own.columns[differs.any()]) == set(settings.data.learned)


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
