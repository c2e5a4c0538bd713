"""Derived features have the values that their expressions say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from steps.derived import made_of, with_derived

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


def test_kilometres_are_those_of_the_great_circle() -> None:
    # From the Space Needle to the Eiffel Tower, 8,033 km in a great-circle calculator; and a degree of latitude.
    table = pd.DataFrame({"lat": [47.6205, 46.6205, np.nan], "long": [-122.3493, -122.3493, 0.0]})
    types = {"lat": "number", "long": "number"}
    expressions = {"paris": "km(lat, long, 48.8584, 2.2945)", "needle": "km(lat, long, 47.6205, -122.3493)"}
    result = with_derived(table, expressions, types)
    assert result["paris"][0] == pytest.approx(8033, rel=0.005)
    np.testing.assert_allclose(result["needle"], [0, 111.195, NAN], atol=0.001)


def test_later_expression_uses_an_earlier_one_and_the_index_stays() -> None:
    table = TABLE.set_axis([7, 8, 9])
    result = with_derived(table, {"twice": "b * 2", "four": "twice * 2"}, TYPES)
    assert result["four"].tolist() == [8, 0, 20]
    assert result.index.tolist() == [7, 8, 9]
    assert "twice" not in TABLE


def test_a_name_in_backticks_is_its_column() -> None:
    table = pd.DataFrame({"Gr Liv (Area)": [4.0], "max": [2.0], "Kind [a]": ["x `y`"]})
    types = {"Gr Liv (Area)": "number", "max": "number", "Kind [a]": "category"}
    text = "max(`Gr Liv (Area)` / `max`, 1) + (`Kind [a]` == 'x `y`')"
    assert with_derived(table, {"new": text}, types)["new"].tolist() == [3]


def test_what_an_expression_is_made_of_is_found_through_others() -> None:
    derived = {"age": "year(day) - built", "old": "age > 50", "size": "area * 2", "both": "old + size"}
    assert made_of("old + 1", derived) == {name: derived[name] for name in ("age", "old")}
    assert made_of("both", derived) == derived
    assert made_of("area", derived) == {}
