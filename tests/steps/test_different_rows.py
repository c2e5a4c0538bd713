"""Each row is of the kind of the rows that it equals to the last bit, and of no other kind."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from steps.different_rows import different_rows


def found(table: pd.DataFrame) -> tuple[list[int], list[int]]:
    places, kinds = different_rows(table)
    assert kinds[places].tolist() == list(range(len(places)))
    first = [kinds.tolist().index(kind) for kind in range(len(places))]
    return first, kinds.tolist()


@pytest.mark.parametrize(
    ("values", "kinds"),
    [
        ([7, 5, 7, 5], [0, 1, 0, 1]),
        ([0.0, -0.0, np.nan, 0.0, np.nan], [0, 1, 2, 0, 2]),
        (["a", None, "b", None], [0, 1, 2, 1]),
        ([None, None], [0, 0]),
        (pd.to_datetime(["2024-01-01", None, "2024-01-01"]), [0, 1, 0]),
        ([1, True, 1.0, "1", "1"], [0, 1, 2, 3, 4]),  # objects of several types are told apart row by row
        ([], []),
    ],
)
def test_the_values_of_a_column_are_of_one_kind_where_they_are_the_same(values: list[object], kinds: list[int]) -> None:
    dtype = object if any(isinstance(value, str | bool) for value in values) else None
    assert found(pd.DataFrame({"a": pd.Series(values, dtype=dtype)}))[1] == kinds


def test_rows_are_of_one_kind_where_all_columns_are_the_same() -> None:
    table = pd.DataFrame({"a": [1, 1, 2, 2, 1], "b": ["x", "y", "x", "x", "x"], "c": [0.5, 0.5, 0.5, 0.5, 0.5]})
    assert found(table) == ([0, 1, 2], [0, 1, 2, 2, 0])
