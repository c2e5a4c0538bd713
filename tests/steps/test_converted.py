"""What is said to be converted is what conversion gives; anything else is converted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from steps.conversion import convert
from steps.converted import FEWEST, LARGEST_EXACT, is_converted
from steps.settings import Column


def many(*values: Any, dtype: Any = object) -> pd.Series:
    """A column that is long enough to be looked at."""
    return pd.Series(list(values) * FEWEST, dtype=dtype)


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ({"type": "integer"}, many(3, -7, LARGEST_EXACT, dtype="int64")),
        ({"type": "integer"}, many(3.0, np.nan, -0.0, dtype=float)),
        ({"type": "number"}, many(1.5, np.nan, -0.0, dtype=float)),
        ({"type": "boolean"}, many(1.0, 0.0, np.nan, dtype=float)),
        ({"type": "category"}, many("98039", None, "a b", "nan", "ß")),
        ({"type": "text", "width": 4}, many("0001", "12345", None)),
    ],
)
def test_typed_values_are_taken_as_conversion_would_give_them(column: dict[str, Any], values: pd.Series) -> None:
    told = Column(**column)
    assert is_converted(values, told)
    converted, bad = convert(values, told)
    pieces = [convert(values[start : start + 100], told) for start in range(0, len(values), 100)]
    pd.testing.assert_series_equal(converted, pd.concat([piece for piece, _ in pieces]), check_exact=True)
    assert not bad.any() and not any(wrong.any() for _, wrong in pieces)  # noqa: PT018
    assert np.array_equal(np.signbit(converted), np.signbit(values)) if values.dtype == float else True


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ({"type": "integer"}, many(3.0, 4.0, dtype=float)),  # becomes whole numbers
        ({"type": "integer"}, many(1.5, np.nan, dtype=float)),
        ({"type": "integer"}, many(np.inf, np.nan, dtype=float)),
        ({"type": "integer"}, many(LARGEST_EXACT + 1, dtype="int64")),
        ({"type": "number"}, many(3, dtype="int64")),
        ({"type": "number"}, many(np.inf, dtype=float)),
        ({"type": "number", "missing": ("0",)}, many(0.0, dtype=float)),
        ({"type": "boolean"}, many(2.0, dtype=float)),
        ({"type": "boolean"}, many(-0.0, dtype=float)),
        ({"type": "boolean", "yes_words": ("0.0",), "no_words": ("1.0",)}, many(1.0, dtype=float)),
        ({"type": "date"}, many(1.0, dtype=float)),
        ({"type": "category"}, many("a", " b")),
        ({"type": "category"}, many("a", "")),
        ({"type": "category"}, many("a", np.nan)),
        ({"type": "category"}, many("a", 3)),
        ({"type": "category"}, many("a", b"b")),
        ({"type": "category"}, many("\ud800")),
        ({"type": "category"}, many(None)),
        ({"type": "category", "missing": ("a",)}, many("a")),
        ({"type": "text", "width": 4}, many("0001", "123")),
        ({"type": "number"}, many("1.5")),
    ],
)
def test_all_else_is_converted(column: dict[str, Any], values: pd.Series) -> None:
    assert not is_converted(values, Column(**column))


def test_every_kind_of_space_around_a_text_is_seen() -> None:
    letters = [chr(code) for code in range(1 << 16) if not 0xD800 <= code < 0xE000]  # beyond there are no spaces
    spaces = [letter for letter in letters if letter.isspace()]
    assert len(spaces) > 20
    for space in spaces:
        assert not is_converted(many(f"a{space}"), Column(type="text"))
        assert not is_converted(many(f"{space}a"), Column(type="text"))
    assert is_converted(pd.Series([letter for letter in letters if not letter.isspace()]), Column(type="text"))
