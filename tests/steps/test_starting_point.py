"""Boosting starts from the mean, the line, or a line that has not seen the row; the validation part decides."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from steps import features as feature_module
from steps import linear
from steps.boosting import by_row, predict
from steps.features import Features
from steps.model import load
from steps.settings import Column
from steps.shard import Shard
from steps.starting_point import Boosting, Part, best_start, refit, start_at
from steps.train import main
from tests.steps.conftest import channels

BOOSTING = Boosting(
    {
        "objective": "reg:squarederror",
        "tree_method": "hist",
        "max_depth": 2,
        "learning_rate": 0.1,
        "nthread": 2,
        "seed": 0,
    },
    rounds=200,
    early_stopping_rounds=20,
)


def features(levels: int = 0) -> Features:
    """x, and a category of so many levels."""
    known = {"kind": tuple(f"{number:03d}" for number in range(levels))} if levels else {}
    return Features(
        names=("x", *known),
        inputs={"x": Column(type="number")},
        derived={},
        levels=known,
        fill={"x": 0.0},
        target="y",
        target_unit="",
        target_scale="linear",
        target_range=(-1e9, 1e9),
    )


def parts(slope: float, rows: int = 300, levels: int = 0) -> tuple[Part, Part]:
    random = np.random.default_rng(3)

    def part(count: int) -> Part:
        table = pd.DataFrame({"x": random.normal(0, 10, count)})
        if levels:
            table["kind"] = random.integers(0, levels, count).astype(float)
        target = slope * table["x"].to_numpy() + random.normal(0, 1, count)
        return Part(table, target, np.zeros(count), Shard.whole(count))

    return part(rows), part(rows)


def test_on_a_line_the_line_is_the_best_start() -> None:
    train, validation = parts(slope=5.0)
    line = linear.fit(train.table, train.target, {})
    name, errors = best_start(train, validation, features(), line, BOOSTING)
    assert name in ("line", "out_of_fold_line")
    assert errors["line"] < 0.5 * errors["mean"]


@pytest.mark.e2e
def test_a_line_that_knows_its_rows_by_heart_is_not_the_start() -> None:
    """As many levels as two rows each: the line has learned the noise of its own rows."""
    train, validation = parts(slope=0.0, levels=150)
    fitted = features(150)
    line = linear.fit(train.table, train.target, fitted.levels, penalty=1e-8)
    name, errors = best_start(train, validation, fitted, line, BOOSTING)
    assert name == "mean"
    assert errors["mean"] < errors["line"]


def test_the_out_of_fold_line_has_not_seen_the_row_that_it_predicts() -> None:
    """A target that is moved far away moves no start of its own row."""
    train, validation = parts(slope=1.0)
    line = linear.fit(train.table, train.target, {})
    changed = train.target.copy()
    changed[7] += 1e6
    before, after = (
        start_at(
            "out_of_fold_line", Part(train.table, target, train.start, train.shard), validation, features(), line, 0
        )[0].start
        for target in (train.target, changed)
    )
    moved = np.abs(after - before) > 1e-6
    assert not moved[7]
    assert moved.sum() == 240  # the rows of the four other folds
    seen = start_at("line", train, validation, features(), line, 0)[0].start
    np.testing.assert_array_equal(seen, line.predict(train.table))


def test_validation_rows_start_from_what_new_rows_start_from() -> None:
    train, validation = parts(slope=1.0)
    line = linear.fit(train.table, train.target, {})
    for name in ("line", "out_of_fold_line"):
        start = start_at(name, train, validation, features(), line, 0)[1].start
        np.testing.assert_array_equal(start, line.predict(validation.table))
    assert set(start_at("mean", train, validation, features(), line, 0)[1].start) == {train.target.mean()}


def test_the_last_booster_learns_from_the_validation_rows_too() -> None:
    """What holds on the validation rows alone is known to it afterwards, after as many rounds."""
    train, _ = parts(slope=0.0)
    beside = train.table + 1000
    validation = Part(beside, train.target + 50, train.start, train.shard)
    final = refit(BOOSTING, 60, (train, validation), features())
    assert final.num_boosted_rounds() == 60
    predicted = predict(final, by_row(beside.to_numpy()), np.zeros(len(beside)))
    assert np.abs(predicted - 50).mean() < 5
    assert np.abs(predict(final, by_row(train.table.to_numpy()), train.start)).mean() < 5


@pytest.mark.e2e
@pytest.mark.parametrize("start", ["mean", "line", "out_of_fold_line", "auto"])
def test_a_loaded_model_predicts_from_where_it_was_trained(
    preprocessed: Path, typed_rents: pd.DataFrame, tmp_path: Path, start: str
) -> None:
    main([*channels(preprocessed), "--model_dir", str(tmp_path / "model"), "--rounds", "40", "--start", start])
    model = load(tmp_path / "model")
    said = json.loads((tmp_path / "model" / "model.json").read_text())
    assert said["boosting_starts_from"] == start or (start == "auto" and set(said["starting_points"]) >= {"mean"})
    assert (said["starting_mean"] is None) == (said["boosting_starts_from"] != "mean")
    table = feature_module.transform(typed_rents, model.features)
    error = np.abs(model.predict_features(table, "xgboost") / typed_rents["rent"] - 1)
    assert error.mean() < 0.1


def test_levels_that_are_rare_are_like_unseen_ones_and_missing_for_the_trees(
    preprocessed: Path, typed_rents: pd.DataFrame, tmp_path: Path
) -> None:
    main([*channels(preprocessed), "--model_dir", str(tmp_path / "model"), "--rounds", "40", "--start", "mean"])
    model = load(tmp_path / "model")
    assert [model.features.names[place] for place in model._categories] == ["district"]
    rows = typed_rents.head(3)
    unseen = [model.predict(rows.assign(district=level)).tolist() for level in ("moon", None)]
    assert unseen[0] == unseen[1]
    assert unseen[0] != model.predict(rows.assign(district="old town")).tolist()
    lower, upper = model.predict_interval(rows.assign(district="moon"))
    assert (lower < upper).all()
