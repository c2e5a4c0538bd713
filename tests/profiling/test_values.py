"""How a column is written is found by looking, in all the ways of the world."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from profiling.values import written_as
from steps.conversion import convert
from steps.settings import column_of


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("texts", "kind", "keys"),
    [
        (["1", "2", "30"], "integer", {}),
        (["1.5", "2", ""], "number", {}),
        (["1,5", "22,75"], "number", {"decimal": ","}),
        (["1.234,5", "22,75"], "number", {"decimal": ",", "thousands": "."}),
        (["1,234,567", "999"], "integer", {"thousands": ","}),
        (["$1,200", "$900"], "integer", {"thousands": ",", "units": {"$": 1.0}}),
        (["51,351 mi.", "900 mi."], "integer", {"thousands": ",", "units": {"mi.": 1.0}}),
        (["1.2M", "850k"], "integer", {"units": {"M": 1e6, "k": 1e3}}),
        (["85 m2", "90.5 m2"], "number", {"units": {"m2": 1.0}}),
        (["(1,200)", "900"], "integer", {"thousands": ","}),
        (["($1,200)", "$900"], "integer", {"thousands": ",", "units": {"$": 1.0}}),
        (["₹ 1.2 Cr", "₹ 85 Lac"], "integer", {"units": {"₹": 1.0, "Cr": 1e7, "Lac": 1e5}}),
        (["3,480万円"], "integer", {"thousands": ",", "units": {"万円": 1e4}}),
        (["1'250'000.-", "900'000.-"], "integer", {"thousands": "'", "units": {"-": 1.0}}),
        (["ag12", "ag7"], "category", {}),
        (["CHF900", "CHF1200"], "integer", {"units": {"CHF": 1.0}}),
        (["€ 85", "€ 90"], "integer", {"units": {"€": 1.0}}),
        (["1", "NA", "3"], "integer", {"missing": ["NA"]}),
        (["1", "k.A.", "3"], "integer", {"missing": ["k.A."]}),
        (["yes", "No"], "boolean", {}),
        (["Ja", "Nein"], "boolean", {"yes_words": ["ja"], "no_words": ["nein"]}),
        (["0", "1"], "boolean", {}),
        (["2014-10-13", "2015-01-02"], "date", {}),
        (["20141013T000000", "20150102T000000"], "date", {}),
        (["31.12.2014", "01.02.2015"], "date", {"dates": ["%d.%m.%Y"]}),
        (["12/31/2014", "01/02/2015"], "date", {"dates": ["%m/%d/%Y"]}),
        (["31/12/2014", "01/02/2015"], "date", {"dates": ["%d/%m/%Y"]}),
        (["31-Dec-2014", "1-Feb-2015"], "date", {"dates": ["%d-%b-%Y"]}),
        (["Dec 31, 2014", "Feb 1, 2015"], "date", {"dates": ["%b %d, %Y"]}),
        (["2014-12-31 10:00:00", "2015-01-01 11:30:00"], "date", {}),
        (["north", "south", "?"], "category", {"missing": ["?"]}),
        (["Attchd", "NA"], "category", {}),
        (["00501", "98039"], "category", {}),
        ([f"{number} {word} St" for number, word in enumerate("ABCDEFG", 12)], "category", {}),
        (["1984", "2001"], "integer", {}),
    ],
)
def test_type_and_form(texts: list[str], kind: str, keys: dict[str, Any]) -> None:
    values = pd.Series(texts * 30, dtype=object)
    found = written_as(values)
    assert (found.type, found.keys) == (kind, keys)
    _, bad = convert(values, column_of({"type": found.type, **found.keys}))
    assert not bad.any()  # the jobs read what was found


@pytest.mark.e2e
def test_what_can_be_read_in_two_ways_is_noted() -> None:
    (note,) = written_as(pd.Series(["01/02/2014", "03/04/2014"] * 30)).notes
    assert note == "could also be written %d/%m/%Y: look at some rows"
    assert written_as(pd.Series(["1.234", "5.678"] * 30)).keys == {}
    assert written_as(pd.Series(["1.234", "5.678"] * 30), prefer_comma=True).keys == {"decimal": ",", "thousands": "."}
    (note,) = written_as(pd.Series(["10 km", "5 mi"] * 30)).notes
    assert note.startswith("say in units what one of each is worth: km, mi count as 1")


def test_numbers_in_threes_are_noted_unless_they_are_written_as_usual() -> None:
    (note,) = written_as(pd.Series(["350.000", "425.500"] * 30)).notes
    assert note == "'350.000' is read as 350: if that is wrong, say decimal and thousands"
    (note,) = written_as(pd.Series(["350.000", "425.500"] * 30), prefer_comma=True).notes
    assert "is read as 350000" in note
    assert written_as(pd.Series(["350,000", "425,500"] * 30)).notes == ()
    assert written_as(pd.Series(["0.350", "0.425"] * 30)).notes == ()


def test_a_few_cells_that_cannot_be_read_do_not_change_the_type() -> None:
    found = written_as(pd.Series([*map(str, range(199)), "call us"]))
    assert found.type == "integer"
    assert found.readable == 0.995
    assert written_as(pd.Series([*map(str, range(90)), *["call us"] * 10])).type == "category"


def test_typed_columns_of_parquet_keep_their_type() -> None:
    assert written_as(pd.Series([1.0, None, 3.0])).type == "integer"
    assert written_as(pd.Series([1.5, None])).type == "number"
    assert written_as(pd.Series([True, False])).type == "boolean"
    assert written_as(pd.Series(pd.to_datetime(["2014-01-01"]))).type == "date"
