"""Rows unlike the training rows are told from the others, each with what is unlike."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest

from steps.known_values import Familiarity, KnownValues
from steps.settings import Column

INPUTS = {
    "area": Column(type="number", range=(10, 2000)),
    "rooms": Column(type="integer", optional=True),
    "grade": Column(type="integer", range=(1, None)),
    "signed": Column(type="date"),
    "district": Column(type="category"),
    "street": Column(type="category"),
    "lift": Column(type="boolean"),
}


def columns(**values: list[Any]) -> dict[str, np.ndarray]:
    """Training rows, or others that differ in the named columns."""
    found: dict[str, list[Any]] = {
        "area": [20.0, 220.0, 100.0],
        "rooms": [1.0, 11.0, np.nan],
        "grade": [1.0, 5.0, 3.0],
        "signed": ["2024-01-01", "2024-03-01", "NaT"],
        "district": ["north", "south", None],
        "street": ["a", "b", None],
        "lift": [0.0, 1.0, 1.0],
    }
    found |= values
    objects = {"district": object, "street": object, "signed": "datetime64[D]"}
    return {name: np.array(each, dtype=objects.get(name, float)) for name, each in found.items()}


@pytest.fixture(scope="module", name="known")
def known_values() -> KnownValues:
    learned = KnownValues.learn(columns(), INPUTS)
    return KnownValues.from_json(json.loads(json.dumps(asdict(learned))))


def familiarity(known: KnownValues) -> Familiarity:
    return Familiarity(INPUTS, known, {"district": ("north", "south")})


def test_training_rows_are_like_themselves(known: KnownValues) -> None:
    assert familiarity(known).warnings(columns()) == {}


@pytest.mark.parametrize(
    ("name", "near", "far", "clause"),
    [
        ("area", 240.0, 240.1, "area 240.1 is far from the training rows, which have 20 to 220"),
        ("area", 10.0, 9.0, "area 9 is outside the range that training accepted, from 10 to 2000"),
        ("area", 100.0, 2000.5, "area 2000.5 is outside the range that training accepted, from 10 to 2000"),
        ("area", 100.0, 1e300, "area 1e+300 is outside the range that training accepted, from 10 to 2000"),
        ("rooms", 12.0, 13.0, "rooms 13 is far from the training rows, which have 1 to 11"),
        ("rooms", 0.0, -1.0, "rooms -1 is far from the training rows, which have 1 to 11"),
        ("rooms", np.nan, 99.0, "rooms 99 is far from the training rows, which have 1 to 11"),
        ("grade", 1.0, 0.0, "grade 0 is outside the range that training accepted, 1 or more"),
        ("signed", "2024-04-30", "2024-05-01", "signed 2024-05-01 is long after the training rows, which end on"),
        ("signed", "2023-11-02", "2023-11-01", "signed 2023-11-01 is long before the training rows, from 2024-01-01 "),
        ("signed", "NaT", "2031-01-01", "signed 2031-01-01 is long after the training rows, which end on 2024-03-01"),
        ("district", None, "moon", "district 'moon' is a level that no training row had"),
        ("street", "a", "c", "street 'c' is a level that no training row had"),
    ],
)
def test_what_is_unlike_is_said_of_its_row_alone(
    known: KnownValues, name: str, near: Any, far: Any, clause: str
) -> None:
    normal = columns()[name].tolist()[0]
    found = familiarity(known).warnings(columns(**{name: [near, normal, far]}))
    assert list(found) == [2]
    assert len(found[2]) == 1
    assert found[2][0].startswith(clause)


def test_a_row_says_all_that_is_unlike(known: KnownValues) -> None:
    rows = columns(area=[20.0, 9.0, 100.0], rooms=[1.0, 99.0, 1.0], district=["north", "moon", "north"])
    assert [len(clauses) for clauses in familiarity(known).warnings(rows).values()] == [3]


def test_of_a_model_without_known_values_the_declared_range_and_the_levels_are_known() -> None:
    older = familiarity(KnownValues.from_json({}))
    assert older.warnings(columns(area=[9.0, 1999.0, 20.0], rooms=[99.0, 1.0, 1.0], street=["c", "c", "c"])) == {
        0: ["area 9 is outside the range that training accepted, from 10 to 2000"]
    }


@pytest.mark.parametrize(("days", "allowed"), [(0, 30), (10, 30), (31, 31), (365, 365), (4000, 365)])
def test_a_date_may_be_later_by_the_span_of_the_data_within_a_month_and_a_year(days: int, allowed: int) -> None:
    last = np.datetime64("2024-03-01", "D")
    data = columns(signed=[str(last - days), str(last), "NaT"])
    known = KnownValues.learn(data, INPUTS)
    rows = columns(signed=[str(last + allowed), str(last + allowed + 1), "NaT"])
    assert list(Familiarity(INPUTS, known, {}).warnings(rows)) == [1]


def test_a_column_without_any_value_is_not_known() -> None:
    empty = columns(rooms=[np.nan] * 3, signed=["NaT"] * 3, street=[None] * 3)
    known = KnownValues.learn(empty, INPUTS)
    assert "rooms" not in known.numbers
    assert known.days == {}
    assert known.levels == {"district": ("north", "south"), "street": ()}
