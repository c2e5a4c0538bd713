"""Statistics and constraints say what the rows are, in the layout of Model Monitor."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.baselines import of_data, quality_constraints, quality_statistics
from steps.settings import Column

INPUTS = {
    "size": Column(type="number", optional=True),
    "floor": Column(type="integer"),
    "district": Column(type="category"),
}
ROWS = pd.DataFrame(
    {
        "size": [*np.linspace(10, 90, 9999), np.nan],
        "floor": np.arange(10_000) % 5 - 1,
        "district": ["north", "south"] * 5000,
    }
)


def test_statistics_of_numbers_and_texts() -> None:
    document, _ = of_data(ROWS, INPUTS)
    assert document["dataset"] == {"item_count": 10_000}
    size, floor, district = document["features"]
    numbers = size["numerical_statistics"]
    assert (size["inferred_type"], floor["inferred_type"], district["inferred_type"]) == (
        "Fractional",
        "Integral",
        "String",
    )
    assert numbers["common"] == {"num_present": 9999, "num_missing": 1}
    assert (numbers["min"], numbers["max"]) == (10, 90)
    assert numbers["mean"] == pytest.approx(50)
    assert sum(bucket["count"] for bucket in numbers["distribution"]["kll"]["buckets"]) == 9999
    texts = district["string_statistics"]
    assert texts["distinct_count"] == 2
    assert texts["distribution"]["categorical"]["buckets"] == [
        {"value": "north", "count": 5000},
        {"value": "south", "count": 5000},
    ]


def test_sketch_stands_for_all_values() -> None:
    statistics, _ = of_data(ROWS, INPUTS)
    sketch = statistics["features"][0]["numerical_statistics"]["distribution"]["kll"]["sketch"]
    assert all(len(level) <= sketch["parameters"]["k"] for level in sketch["data"])
    weights = np.concatenate([np.full(len(level), 2**i) for i, level in enumerate(sketch["data"])])
    assert weights.sum() == pytest.approx(9999, rel=0.001)
    assert np.median(np.concatenate(sketch["data"])) == pytest.approx(50, abs=0.1)


def test_constraints_of_the_data() -> None:
    _, constraints = of_data(ROWS, INPUTS)
    size, floor, district = constraints["features"]
    assert size["completeness"] == pytest.approx(0.9999)
    assert size["num_constraints"] == {"is_non_negative": True}
    assert floor["num_constraints"] == {"is_non_negative": False}
    assert district["string_constraints"] == {"domains": ["north", "south"]}


def test_column_without_a_value_has_statistics_too() -> None:
    statistics, constraints = of_data(pd.DataFrame({"size": [np.nan, np.nan]}), {"size": INPUTS["size"]})
    [feature] = statistics["features"]
    assert feature["numerical_statistics"]["common"] == {"num_present": 0, "num_missing": 2}
    assert constraints["features"][0]["num_constraints"] == {"is_non_negative": True}


@given(st.lists(st.integers(-30, 30) | st.integers(-(10**9), 10**9).map(lambda number: number / 1000), min_size=1))
def test_buckets_are_those_of_numpy(values: list[float]) -> None:
    statistics, _ = of_data(pd.DataFrame({"size": values}, dtype=float), {"size": INPUTS["size"]})
    buckets = statistics["features"][0]["numerical_statistics"]["distribution"]["kll"]["buckets"]
    counts, edges = np.histogram(values, bins=10)
    assert [bucket["count"] for bucket in buckets] == counts.tolist()
    assert [bucket["lower_bound"] for bucket in buckets] == edges[:-1].tolist()


def test_quality_may_be_worse_by_two_standard_deviations() -> None:
    metrics = {
        "rmse": {"value": 100.0, "standard_deviation": 5.0},
        "r2": {"value": 0.9, "standard_deviation": 0.01},
    }
    assert quality_constraints(metrics)["regression_constraints"] == {
        "rmse": {"threshold": 110.0, "comparison_operator": "GreaterThanThreshold"},
        "r2": {"threshold": pytest.approx(0.88), "comparison_operator": "LessThanThreshold"},
    }
    assert quality_statistics(metrics, 7)["dataset"] == {"item_count": 7}
