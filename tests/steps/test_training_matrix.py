"""What trees learn from is the rows that are meant, whatever batches and tables they come in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from steps.boosting import xgboost
from steps.features import Features
from steps.training_matrix import Rows, training_matrix
from tests.steps.test_starting_point import features

PARAMETERS = {"max_depth": 3, "nthread": 1, "tree_method": "hist"}


@pytest.fixture
def rows() -> Rows:
    """x, and a category with an unknown level; the label follows both."""
    random = np.random.default_rng(5)
    values = np.column_stack([random.normal(size=500), random.integers(-1, 3, 500)]).astype(float)
    return Rows(values, np.zeros(500), values[:, 0] + 3 * (values[:, 1] == 1))


@pytest.fixture
def fitted() -> Features:
    return features(levels=3)


def trees(matrix: xgboost.DMatrix) -> bytes:
    return bytes(xgboost.train(PARAMETERS, matrix, num_boost_round=5).save_raw("ubj"))


def test_batches_and_tables_make_no_difference(rows: Rows, fitted: Features, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = trees(training_matrix([rows], fitted))
    monkeypatch.setattr("steps.batches.ROWS", 150)
    assert trees(training_matrix([rows], fitted)) == whole
    halves = [
        Rows(*(each[half] for each in (rows.values, rows.start, rows.label))) for half in (slice(0, 77), slice(77, 500))
    ]
    assert trees(training_matrix(halves, fitted)) == whole


def test_rows_that_are_not_meant_teach_nothing(rows: Rows, fitted: Features) -> None:
    chosen = np.arange(500) % 3 == 0
    spoilt = replace(rows, label=np.where(chosen, rows.label, 1e6), chosen=chosen)
    alone = Rows(rows.values[chosen], rows.start[chosen], rows.label[chosen])
    assert trees(training_matrix([spoilt], fitted)) == trees(training_matrix([alone], fitted))


def test_rows_on_the_disk_teach_the_same_and_are_removed_with_their_matrix(
    rows: Rows, fitted: Features, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("steps.batches.ROWS", 150)
    whole = trees(training_matrix([rows], fitted))
    matrix = training_matrix([rows], fitted, cache=tmp_path)
    assert trees(matrix) == whole
    assert len(list(tmp_path.iterdir())) == 1
    del matrix
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_learned_from_a_blank_feature(rows: Rows, fitted: Features) -> None:
    before = rows.values.copy()
    booster = xgboost.train(PARAMETERS, training_matrix([rows], fitted, blank=[0]), num_boost_round=5)
    assert set(booster.get_score()) == {"kind"}
    np.testing.assert_array_equal(rows.values, before)


def test_what_is_compared_with_training_rows_is_cut_as_they_are(rows: Rows, fitted: Features) -> None:
    learned = training_matrix([rows], fitted)
    other = replace(rows, values=rows.values * [0.5, 1])
    compared = training_matrix([other], fitted, like=learned)
    booster = xgboost.train(PARAMETERS, learned, num_boost_round=5)
    told = float(booster.eval(compared).rpartition(":")[2])
    values = other.values.astype(np.float32)
    values[values[:, 1] < 0, 1] = np.nan
    predicted = booster.inplace_predict(values, base_margin=np.zeros(500))
    assert told == pytest.approx(float(np.sqrt(np.mean((predicted - other.label) ** 2))), rel=1e-5)
