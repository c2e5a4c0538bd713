"""The same value has the same meaning in CSV, Parquet and a request."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from steps.conversion import convert, described
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
@pytest.mark.parametrize(
    "values",
    [[[1, 2], [3]], [{"a": 1}, {"a": 2}], [datetime.timedelta(days=1)] * 2, [b"a", b"b"]],
    ids=["lists", "objects", "durations", "bytes"],
)
def test_what_only_parquet_can_hold_is_marked(kind: Any, values: list[Any], tmp_path: Path) -> None:
    pd.DataFrame({"x": values}).to_parquet(tmp_path / "x.parquet")
    read = pd.read_parquet(tmp_path / "x.parquet")["x"]
    taken = kind in ("category", "text") and isinstance(values[0], datetime.timedelta)  # "1 days 00:00:00"
    converted, bad = convert(read, Column(type=kind))
    assert bad.tolist() == [not taken] * 2
    assert converted.isna().tolist() == [not taken] * 2


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


def test_whole_numbers_with_gaps_are_texts_with_gaps() -> None:
    converted, bad = convert(pd.Series([-5, None, 12345], dtype="Int64"), Column(type="text", width=4))
    assert converted.tolist() == ["-005", None, "12345"]
    assert not bad.any()


def value_of(text: Any, **column: Any) -> Any:
    converted, bad = convert(pd.Series([text], dtype=object), Column(**column))
    assert bad[0] == bool(converted.isna()[0])
    return "bad" if bad[0] else converted[0]


@pytest.mark.parametrize(
    ("text", "written", "expected"),
    [
        ("1.234.567,5", {"decimal": ",", "thousands": "."}, 1234567.5),
        ("1,5", {"decimal": ","}, 1.5),
        ("1.5", {"decimal": ","}, "bad"),
        (",5", {"decimal": ","}, 0.5),
        ("1.50", {"decimal": ",", "thousands": "."}, "bad"),
        ("1,234", {"thousands": ","}, 1234),
        ("(1,234)", {"thousands": ","}, -1234),
        ("$(1,234)", {"thousands": ",", "units": {"$": 1}}, -1234),
        ("($1,234)", {"thousands": ",", "units": {"$": 1}}, -1234),
        ("()", {"thousands": ","}, "bad"),
        ("(1,234", {"thousands": ","}, "bad"),
        ("12,34,567", {"thousands": ","}, 1234567),
        ("1,23", {"thousands": ","}, "bad"),
        ("1,2345", {"thousands": ","}, "bad"),
        ("1234", {"thousands": ","}, 1234),
        ("1\u202f234\u00a0567", {"thousands": " "}, 1234567),
        ("1\u2019234.5", {"thousands": "'"}, 1234.5),
        ("\u22123,5", {"decimal": ","}, -3.5),
        ("$1,234.50", {"thousands": ",", "units": {"$": 1}}, 1234.5),
        ("-$12", {"units": {"$": 1}}, -12),
        ("51,351 mi.", {"thousands": ",", "units": {"mi.": 1}}, 51351),
        ("$ 1.2 M", {"units": {"$": 1, "k": 1e3, "M": 1e6}}, 1.2e6),
        ("350K", {"units": {"k": 1000}}, 350000),
        ("12 km", {"units": {"mi.": 1.609344, "km": 1}}, 12),
        ("12 lbs", {"units": {"kg": 1}}, "bad"),
        ("$", {"units": {"$": 1}}, "bad"),
        ("1,5e3", {"decimal": ","}, 1500),
        ("12 €", {"units": {"€": 1}}, 12),
    ],
)
def test_numbers_are_read_as_the_yaml_says_they_are_written(text: str, written: dict[str, Any], expected: Any) -> None:
    assert value_of(text, type="number", **written) == (expected if expected == "bad" else pytest.approx(expected))


@pytest.mark.parametrize(
    ("text", "expected"), [("13.10.2014", DAY), ("2014-10-13", DAY), ("10.13.2014", "bad"), ("13.10.14", "bad")]
)
def test_dates_are_read_in_the_forms_of_the_yaml_and_in_iso_8601(text: str, expected: Any) -> None:
    assert value_of(text, type="date", dates=("%d.%m.%Y",)) == expected


@pytest.mark.parametrize("kind", ["integer", "number", "boolean", "category", "text", "date"])
def test_only_the_words_of_the_yaml_are_missing(kind: Any) -> None:
    converted, bad = convert(pd.Series([" NA ", "", None]), Column(type=kind, missing=("NA",)))
    assert not bad.any()
    assert converted.isna().all()
    kept, bad = convert(pd.Series(["NA"]), Column(type=kind))
    assert bad[0] == (kind not in ("category", "text"))
    assert kept.isna()[0] == bad[0]


def test_a_number_that_means_missing_does_so_in_parquet_too() -> None:
    column = Column(type="number", missing=("-999",))
    for values in (pd.Series(["-999", "5"]), pd.Series([-999, 5]), pd.Series([-999.0, 5.0])):
        converted, bad = convert(values, column)
        assert converted.isna().tolist() == [True, False]
        assert not bad.any()


def test_yes_and_no_in_other_words() -> None:
    words = {"type": "boolean", "yes_words": ("Ja",), "no_words": ("Nein",)}
    assert [value_of(text, **words) for text in ("ja", "NEIN", "yes", True)] == [1, 0, "bad", 1]
    assert [value_of(text, type="boolean") for text in ("Yes", "n", "T", "F")] == [1, 0, 1, 0]
    assert convert(pd.Series([1, 0]), Column(**words))[0].tolist() == [1, 0]


def test_a_reason_says_how_the_value_should_have_been_written() -> None:
    column = Column(type="number", decimal=",", thousands=".", units={"€": 1})
    assert described(column) == "a number with a decimal comma and '.' between thousands in €"
    assert described(Column(type="date", dates=("%d.%m.%Y",))) == "a date in the form %d.%m.%Y"


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("integer", ["7", " 7 ", None, "x", "", "9007199254740993"]),
        ("number", ["1.5", "-0", "1e400", None, "many"]),
        ("boolean", ["true", "No", None, "maybe"]),
        ("category", [98039, 8, -5]),
        ("category", [1.0, np.nan, 2.5, -0.0]),
        ("text", ["a", " a", None]),
        ("text", [1, True, "1", 1.0, None]),
        ("date", ["20141013T000000", "2014", None, "2014-10-13"]),
        ("date", [datetime.date(2014, 10, 13), None]),
    ],
)
def test_many_values_are_converted_as_few_are(kind: Any, values: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    column, series = Column(type=kind, width=4 if kind == "category" else 0), pd.Series(values * 3)
    few = convert(series, column)
    monkeypatch.setattr("steps.conversion.FEW", 1)
    many = convert(series, column)
    pd.testing.assert_series_equal(many[0], few[0])
    assert many[1].tolist() == few[1].tolist()
