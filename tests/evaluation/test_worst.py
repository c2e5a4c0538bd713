"""The worst predictions."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evaluation.champion import Champion
from evaluation.measurement import Scored
from evaluation.worst import worst_predictions
from steps.row_source import InMemory


def scored(actual: list[float], predicted: list[float], **columns: list[object]) -> Scored:
    values = np.array(actual, dtype=float)
    guesses = np.array(predicted, dtype=float)
    return Scored(
        InMemory(pd.DataFrame(columns, index=range(len(values)))),
        values,
        {"xgboost": guesses},
        (guesses, guesses),
        Champion("none"),
    )


def test_the_largest_relative_error_is_first_whatever_its_sign() -> None:
    found = worst_predictions(scored([100, 100, -10], [110, 40, -13], a=[1, 2, 3]), ["a"])
    assert [(each["actual"], each["error"]) for each in found] == [(100, -0.6), (-10, -0.3), (100, 0.1)]
    assert [each["values"] for each in found] == [{"a": "2"}, {"a": "3"}, {"a": "1"}]


def test_ten_rows_and_six_fields_as_people_read_them() -> None:
    columns: dict[str, list[object]] = {name: [1.5] * 12 for name in "abcdefg"}
    columns["a"] = [pd.Timestamp("2024-02-03")] * 12
    columns["b"] = [None] * 12
    found = worst_predictions(scored([1] * 12, list(range(2, 14)), **columns), ["gone", *"abcdefg"])
    assert len(found) == 10
    assert found[0]["predicted"] == 13
    assert found[0]["values"] == {"a": "2024-02-03", "b": "missing", "c": "1.5", "d": "1.5", "e": "1.5", "f": "1.5"}


def test_a_row_whose_actual_value_is_zero_is_left_out() -> None:
    assert [each["actual"] for each in worst_predictions(scored([0, 2], [5, 2]), [])] == [2]
