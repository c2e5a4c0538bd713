"""The same value has the same meaning in CSV, Parquet and a request."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from steps.conversion import convert
from steps.settings import Column

DAY = pd.Timestamp("2014-10-13")


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        ("integer", ["7", " 7 ", 7, 7.0, "7.0"], 7),
        ("number", ["1.5", 1.5, "15e-1"], 1.5),
        ("boolean", [True, "true", "True", 1, "1", 1.0], 1.0),
        ("category", ["98039", 98039, 98039.0], "98039"),
        ("date", ["20141013T000000", "2014-10-13", "2014-10-13T09:30:00", datetime.date(2014, 10, 13), DAY], DAY),
    ],
)
def test_spellings_of_one_value(kind: Any, values: list[Any], expected: Any) -> None:
    for value in values:
        converted, bad = convert(pd.Series([value]), Column(type=kind))
        assert not bad.any(), value
        assert converted[0] == expected


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("integer", "abc"),
        ("integer", "1.5"),
        ("integer", True),
        ("integer", [1]),
        ("number", "inf"),
        ("number", "1,5"),
        ("number", {"a": 1}),
        ("boolean", "maybe"),
        ("boolean", 2),
        ("date", "1955"),
        ("date", 20141013),
        ("date", "13.10.2014"),
        ("category", ["a"]),
    ],
)
def test_what_is_not_of_the_type_is_marked(kind: Any, value: Any) -> None:
    converted, bad = convert(pd.Series([value], dtype=object), Column(type=kind))
    assert bad.tolist() == [True]
    assert converted.isna().all()


@pytest.mark.parametrize("kind", ["integer", "number", "boolean", "category", "text", "date"])
def test_missing_is_not_wrong(kind: Any) -> None:
    converted, bad = convert(pd.Series([None, np.nan, "", "  "], dtype=object), Column(type=kind))
    assert not bad.any()
    assert converted.isna().all()


def test_ids_are_equal_with_and_without_their_leading_zeros() -> None:
    column = Column(type="text", width=10)
    from_csv, _ = convert(pd.Series(["0001000102"]), column)
    from_parquet, _ = convert(pd.Series([1000102]), column)
    assert from_csv[0] == from_parquet[0] == "0001000102"
