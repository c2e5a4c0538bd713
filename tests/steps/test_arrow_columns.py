"""What Parquet holds becomes what the same values in a request become, whatever their types are in the file."""

from __future__ import annotations

from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from steps.arrow_columns import ArrowColumns
from steps.column_settings import Column, ColumnType
from steps.plain_values import convert_values

TEXTS = ["south", " old town ", None, "", "7", "south", "00042", "2024-03-01", "20140102T000000", "true", "1.5"]
DAYS = [datetime(2024, 3, 1, 22, 30), None, datetime(1969, 7, 20)]
ARRAYS: dict[str, Any] = {
    "text": pa.array(TEXTS),
    "large text": pa.array(TEXTS, pa.large_string()),
    "text view": pa.array(TEXTS, pa.string_view()),
    "dictionary": pa.array(TEXTS).dictionary_encode(),
    "dictionary with a missing value": pa.DictionaryArray.from_arrays(pa.array([0, 1, None, 1]), pa.array(["a", None])),
    "integer": pa.array([3, -1, 98_001, 0]),
    "integer with gaps": pa.array([3, None, 98_001], pa.int32()),
    "unsigned": pa.array([3, 255], pa.uint8()),
    "float": pa.array([1.5, None, float("nan"), float("inf"), 3.0, -0.0]),
    "single": pa.array([1.1, 3.0], pa.float32()),
    "boolean": pa.array([True, None, False]),
    "decimal": pa.array([Decimal("1.10"), None, Decimal("3.00")], pa.decimal128(9, 2)),
    "moment": pa.array(DAYS, pa.timestamp("us")),
    "moment somewhere": pa.array([each and each.replace(tzinfo=timezone.utc) for each in DAYS],
                                 pa.timestamp("ns", tz="Europe/Berlin")),
    "day": pa.array([date(2024, 3, 1), None, date(1850, 1, 1)]),
    "nothing": pa.nulls(3),
    "list": pa.array([[1], None, [2, 3]]),
    "no rows": pa.array([], pa.string()),
}  # fmt: skip
TYPES: tuple[ColumnType, ...] = ("integer", "number", "boolean", "category", "text", "date")


@pytest.mark.filterwarnings("ignore:The behavior of 'isin':FutureWarning")  # of what the request's way does
@pytest.mark.parametrize("kind", ARRAYS)
@pytest.mark.parametrize("type_", TYPES)
def test_values_are_converted_as_those_of_a_request(kind: str, type_: ColumnType) -> None:
    values, column = ARRAYS[kind], Column(type=type_, optional=True, width=3 if type_ == "category" else 0)
    given = values.to_pylist()
    if kind == "decimal":  # which no request can hold
        given = [None if each is None else float(each) for each in given]
    wanted, bad = convert_values(given, column)
    found = ArrowColumns(pa.record_batch({"x": values}), {"x": column}, {})
    assert found.columns["x"].dtype == wanted.dtype
    np.testing.assert_array_equal(found.columns["x"], wanted)
    assert sorted(found.faults) == ([] if bad is None else np.flatnonzero(bad).tolist())


def test_what_a_request_is_refused_for_is_told_of_the_row_and_missing_in_it() -> None:
    columns = {"area": Column(type="number"), "rooms": Column(type="integer", optional=True)}
    batch = pa.record_batch({"area": ["60", "large", None, "7"], "rooms": [1.0, 2.5, None, None]})
    found = ArrowColumns(batch, columns, {})
    assert found.faults == {1: "field area: 'large' is not a number", 2: "field area: the value is missing"}
    assert np.isnan(found.columns["area"]).tolist() == [False, True, True, False]
    alone = ArrowColumns(batch, {"rooms": columns["rooms"]}, {})
    assert alone.faults == {1: "field rooms: 2.5 is not an integer"}


def test_folders_tell_of_a_column_that_the_file_lacks_and_others_are_missing() -> None:
    columns = {"year": Column(type="integer"), "rooms": Column(type="integer", optional=True)}
    batch = pa.record_batch({"area": [1.0, 2.0]})
    found = ArrowColumns(batch, columns, {"year": "2014"})
    assert found.columns["year"].tolist() == [2014.0, 2014.0]
    assert np.isnan(found.columns["rooms"]).all()
    assert ArrowColumns(batch, columns, {"year": ""}).faults[1] == "field year: the value is missing"
