"""Derived features have the values that their expressions say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from steps.derived import with_derived

TYPES = {"a": "number", "b": "number", "flag": "boolean", "when": "date", "kind": "category"}
TABLE = pd.DataFrame(
    {
        "a": [4.0, 9.0, np.nan],
        "b": [2, 0, 5],
        "flag": [1.0, 0.0, 1.0],
        "when": pd.to_datetime(["2014-10-13", "2015-01-01", None]),
        "kind": ["x", None, "y"],
    }
)
NAN = float("nan")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sqrt(a) + b", [4, 3, NAN]),
        ("a / b", [2, NAN, NAN]),
        ("log(b - 2)", [NAN, NAN, np.log(3)]),
        ("min(a, b, 3)", [2, 0, NAN]),
        ("where(b > 1, 10, -b)", [10, 0, 10]),
        ("1 < b <= 2", [1, 0, 0]),
        ("flag and b > 2", [0, 0, 1]),
        ("not flag", [0, 1, 0]),
        ("is_missing(a)", [0, 0, 1]),
        ("kind == 'x'", [1, 0, 0]),
        ("kind != 'x'", [0, 1, 1]),
        ("year(when) * 100 + month(when)", [201410, 201501, NAN]),
        ("days(when) - days('2014-10-12')", [1, 81, NAN]),
        ("3", [3, 3, 3]),
    ],
)
def test_value(text: str, expected: list[float]) -> None:
    result = with_derived(TABLE, {"new": text}, TYPES)["new"]
    np.testing.assert_allclose(result, expected, equal_nan=True)


def test_later_expression_uses_an_earlier_one_and_the_index_stays() -> None:
    table = TABLE.set_axis([7, 8, 9])
    result = with_derived(table, {"twice": "b * 2", "four": "twice * 2"}, TYPES)
    assert result["four"].tolist() == [8, 0, 20]
    assert result.index.tolist() == [7, 8, 9]
    assert "twice" not in TABLE
