"""A request is read, or refused with the field and the row."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import numpy as np
import pytest

from steps.prediction_request import RequestFault, read_request
from steps.settings import Column

INPUTS = {
    "area": Column(type="number"),
    "rooms": Column(type="integer", optional=True),
    "signed": Column(type="date"),
    "kind": Column(type="category"),
}
ROW = {"area": 50.5, "rooms": 2, "signed": "2024-03-01", "kind": "007"}


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (json.dumps(ROW), "application/json"),
        (json.dumps([ROW]), "application/json; charset=utf-8"),
        (json.dumps({"instances": [ROW]}).encode(), "application/json"),
        ("area,rooms,signed,kind\n50.5,2,2024-03-01,007\n", "text/csv"),
        ("kind, signed, rooms, area\r\n007, 2024-03-01, 2, 50.5\r\n", "text/csv; header=present"),
        (b"\xef\xbb\xbf50.5,2,20240301T000000,007", "TEXT/CSV"),
    ],
)
def test_ways_to_send_one_row(body: Any, content_type: str) -> None:
    columns, rows, _ = read_request(body, content_type, INPUTS)
    assert rows == 1
    found = {name: values.item() for name, values in columns.items()}
    assert found == {"area": 50.5, "rooms": 2, "signed": date(2024, 3, 1), "kind": "007"}


@pytest.mark.parametrize("beside", [{}, {"strict": True}])
def test_a_field_may_be_called_as_the_list_of_rows_is(beside: dict[str, bool]) -> None:
    inputs = {"instances": Column(type="number"), "area": Column(type="number")}
    row = {"instances": 3.5, "area": 50.0}
    for body in ({"instances": [row], **beside}, [row], row):
        found = read_request(json.dumps(body), "application/json", inputs)
        assert (found.rows, found.columns["instances"].item()) == (1, 3.5)
    assert read_request(json.dumps({"instances": [row], **beside}), "application/json", inputs).asked == set(beside)


def test_optional_field_may_be_absent_or_empty() -> None:
    without = {name: value for name, value in ROW.items() if name != "rooms"}
    columns, rows, _ = read_request(json.dumps([without, {**ROW, "rooms": None}]), "application/json", INPUTS)
    assert rows == 2
    assert np.isnan(columns["rooms"]).all()
    assert np.isnan(read_request("50.5,,2024-03-01,007", "text/csv", INPUTS)[0]["rooms"]).all()


@pytest.mark.parametrize(
    ("body", "content_type", "status", "message"),
    [
        ("x", "text/plain", 415, "content type text/plain is not"),
        ("x", None, 415, "content type is missing"),
        ("", "text/csv", 400, "body is empty: .* area, rooms, signed and kind"),
        (" \n", "application/json", 400, "body is empty"),
        (b"\xff", "text/csv", 400, "not text in UTF-8"),
        ("{", "application/json", 400, "not JSON"),
        ("7", "application/json", 400, "must be"),
        ("[]", "application/json", 400, "no rows"),
        ("9" * 5000, "application/json", 400, "more digits than can be read"),
        ("[1]", "application/json", 400, "Row 1 is not an object"),
        (json.dumps({"instances": [ROW], "mode": 1}), "application/json", 400, "unexpected key mode"),
        (json.dumps([ROW, {**ROW, "colour": 1}]), "application/json", 400, "Row 2 has the unexpected field colour"),
        (
            json.dumps({k: v for k, v in ROW.items() if k != "area"}),
            "application/json",
            400,
            "Row 1 lacks the field area",
        ),
        (json.dumps({**ROW, "area": "big"}), "application/json", 400, "Row 1, field area: 'big' is not a number"),
        (json.dumps({**ROW, "area": None}), "application/json", 400, "Row 1, field area: the value is missing"),
        (json.dumps({**ROW, "rooms": True}), "application/json", 400, "field rooms: True is not an integer"),
        (json.dumps({**ROW, "signed": 2024}), "application/json", 400, "field signed: 2024 is not a date"),
        ("aera,rooms,signed,kind\n1,2,3,4", "text/csv", 400, "lacks the field area .* aera; did you mean area"),
        ("area,area,rooms,signed,kind\n1,1,2,3,4", "text/csv", 400, "area more than once"),
        ("area,rooms,signed,kind", "text/csv", 400, "header but no rows"),
        ("50.5,2,2024-03-01,007\n1,2", "text/csv", 400, "Row 2 has 2 fields instead of 4"),
        ("50.5,2,2024-03-01,007\nbig,2,2024-03-01,007", "text/csv", 400, "Row 2, field area: 'big'"),
    ],
)
def test_refuses(body: Any, content_type: str | None, status: int, message: str) -> None:
    with pytest.raises(RequestFault, match=message) as fault:
        read_request(body, content_type, INPUTS)
    assert fault.value.status == status


@pytest.mark.parametrize(
    ("column", "value", "read"),
    [
        (Column(type="number", decimal=","), "1,5", 1.5),
        (Column(type="number", decimal=",", thousands="."), "1.234", 1234.0),
        (Column(type="number", units={"k": 1000}), "2k", 2000.0),
        (Column(type="integer", missing=("-1",), optional=True), "-1", np.nan),
        (Column(type="number", missing=("0",), optional=True), "0", np.nan),
        (Column(type="boolean", yes_words=("0",), no_words=("1",)), "0", 1.0),
        (Column(type="boolean"), "no", 0.0),
        (Column(type="category", missing=("none",), optional=True), "none", None),
        (Column(type="date", dates=("%Y%d%m",)), "20240203", np.datetime64("2024-03-02")),
    ],
)
def test_a_value_of_a_request_is_read_as_the_yaml_says_that_the_column_is_written(
    column: Column, value: str, read: Any
) -> None:
    columns, _, _ = read_request(json.dumps({"x": value}), "application/json", {"x": column})
    np.testing.assert_array_equal(columns["x"], np.array([read]))


def test_the_refusal_of_a_value_says_how_the_column_is_written() -> None:
    column = Column(type="number", decimal=",", units={"EUR": 1})
    with pytest.raises(RequestFault, match=r"Row 1, field x: 'dear' is not a number with a decimal comma in EUR\."):
        read_request('{"x": "dear"}', "application/json", {"x": column})
