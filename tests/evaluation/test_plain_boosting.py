"""The plain boosting gets obvious preprocessing and no more: columns of every type, as they are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from evaluation.plain_boosting import MOST_LEVELS, levels_of, obvious, predictions
from steps.row_source import InMemory
from steps.settings import Column, DataSettings

DATA = DataSettings(
    file="x.csv",
    target="cost",
    identity=("key",),
    columns={
        "key": Column(type="text", feature=False),
        "cost": Column(type="number", range=(1, None)),
        "size": Column(type="number", optional=True),
        "kind": Column(type="category", optional=True),
        "lift": Column(type="boolean"),
        "sold": Column(type="date"),
        "hidden": Column(type="number", feature=False),
    },
    derived={"twice": "2 * size"},
)


def table(rows: int, seed: int) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    size = random.uniform(1, 10, rows)
    kind = random.choice(["a", "b", "c"], rows)
    found = pd.DataFrame(
        {
            "key": [str(number) for number in range(rows)],
            "cost": 100 + 50 * size + 300 * (kind == "b"),
            "size": np.where(random.random(rows) < 0.05, np.nan, size),
            "kind": np.where(random.random(rows) < 0.05, None, kind),
            "lift": random.integers(0, 2, rows).astype(float),
            "sold": pd.Timestamp("2024-01-01") + pd.to_timedelta(random.integers(0, 100, rows), unit="D"),
            "hidden": random.normal(size=rows),
        }
    )
    return found


def test_it_learns_from_numbers_categories_booleans_and_dates_and_from_nothing_else() -> None:
    levels = levels_of(table(50, 1), DATA)
    known, new = (obvious(rows, DATA, levels) for rows in (table(50, 1), table(20, 2)))
    assert list(known) == list(new) == ["size", "kind", "lift", "sold"]
    assert known["kind"].cat.categories.tolist() == new["kind"].cat.categories.tolist() == ["a", "b", "c"]
    assert new["sold"].between(19723, 19823).all()  # 2024-01-01 is day 19,723 since 1970


@pytest.mark.e2e
def test_it_is_a_good_model_where_the_data_is_easy_and_takes_levels_that_it_has_not_seen() -> None:
    rows = table(200, 2)
    whole = rows["kind"].notna() & rows["size"].notna()
    error = np.abs(predictions(InMemory(table(2000, 1)), InMemory(rows), DATA) / rows["cost"] - 1)
    assert error[whole].mean() < 0.05
    assert np.isfinite(predictions(InMemory(table(2000, 1)), InMemory(rows.assign(kind="moon")), DATA)).all()


@pytest.mark.e2e
def test_of_many_levels_the_most_frequent_stay() -> None:
    levels = [f"{number:03d}" for number in range(MOST_LEVELS + 50)]
    train = table(2 * MOST_LEVELS + 50, 1).assign(kind=[*levels, *levels[:MOST_LEVELS]])
    known = obvious(train, DATA, levels_of(train, DATA))
    assert known["kind"].cat.categories.tolist() == levels[:MOST_LEVELS]
    assert np.isfinite(predictions(InMemory(train), InMemory(table(20, 2)), DATA)).all()


@pytest.mark.parametrize("scale", ["log", "linear"])
def test_a_table_of_texts_alone_gets_the_middle_of_the_target(scale: str) -> None:
    columns = {"name": Column(type="category"), "cost": DATA.columns["cost"], "key": DATA.columns["key"]}
    data = DataSettings(file="x.csv", target="cost", columns=columns, target_scale=scale)  # type: ignore[arg-type]
    rows = pd.DataFrame({"name": ["a"] * 50, "cost": np.linspace(1, 2, 50), "key": ["1"] * 50})
    assert 1 < predictions(InMemory(rows), InMemory(rows), data)[0] < 2
