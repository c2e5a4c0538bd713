from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from monitoring import captured as module
from monitoring.captured import Capture, read_captured
from tests.monitoring.conftest import event, moment

NAMES = ["size", "quarter"]
ANSWER = json.dumps({"predictions": [{"score": 5.0, "lower": 4.0, "upper": 6.0}], "coverage": 0.9, "model": "abc"})
REQUEST = json.dumps({"instances": [{"size": 50, "quarter": "a"}]})


def read(folder: Path, *lines: str, wanted: tuple[str, ...] = (), **more: Any) -> Capture:
    folder.mkdir(exist_ok=True)
    (folder / "a.jsonl").write_text("".join(lines))
    return read_captured(folder, set(wanted), NAMES)


def test_a_request_is_read_with_its_answer(tmp_path: Path) -> None:
    (row,) = read(tmp_path, event(REQUEST, ANSWER, inference_id="house-1")).served
    assert (row.key, row.model, dict(row.values)) == ("house-1", "abc", {"size": 50, "quarter": "a"})
    assert (row.predicted, row.lower, row.upper) == (5.0, 4.0, 6.0)
    assert row.when.isoformat() == "2026-06-15T08:00:00+00:00"


@pytest.mark.parametrize("listed", [True, False])
def test_a_field_may_be_called_as_the_list_of_rows_is(tmp_path: Path, listed: bool) -> None:
    fields = {"instances": 3, "size": 50}
    (tmp_path / "a.jsonl").write_text(event(json.dumps({"instances": [fields]} if listed else fields), ANSWER))
    (row,) = read_captured(tmp_path, {"2026-06"}, list(fields)).served
    assert dict(row.values) == fields


def test_base64_is_read_as_what_it_encodes(tmp_path: Path) -> None:
    coded = [base64.b64encode(text.encode()).decode() for text in (REQUEST, ANSWER)]
    plain = read(tmp_path / "a", event(REQUEST, ANSWER)).served
    found = read(tmp_path / "b", event(coded[0], coded[1], encoding="BASE64"), event(REQUEST, ANSWER, event_id="2"))
    assert found.served[:1] == plain
    assert (found.encoded, found.rows) == (1, 2)


@pytest.mark.parametrize("body", ["50,a\n60,b\n", "size,quarter\n50,a\n60,b\n"])
def test_csv_is_read_with_and_without_a_header(tmp_path: Path, body: str) -> None:
    rows = read(tmp_path, event(body, "5.0\n6.0\n", encoding="CSV")).served
    assert [(row.key, dict(row.values)["size"], row.predicted) for row in rows] == [
        ("1/0", "50", 5.0),
        ("1/1", "60", 6.0),
    ]
    assert {row.model for row in rows} == {""}


def test_an_event_that_is_there_twice_counts_once(tmp_path: Path) -> None:
    capture = read(tmp_path, event(REQUEST, ANSWER), event(REQUEST, ANSWER), event(REQUEST, ANSWER, event_id="2"))
    assert (capture.rows, capture.repeated) == (2, 1)


def test_rows_after_the_end_of_the_window_are_left_out(tmp_path: Path) -> None:
    times = {"1": "2026-06-15T08:29:59Z", "2": "2026-06-15T08:30:00Z"}
    (tmp_path / "a.jsonl").write_text("".join(event(REQUEST, ANSWER, when, number) for number, when in times.items()))
    found = read_captured(tmp_path, {"1", "2"}, NAMES, moment("2026-06-15T08:30"))
    assert [row.key for row in found.served] == ["1"]
    assert (found.rows, found.found, sum(found.by_month.values())) == (1, 1, 1)


def test_when_the_last_row_was_answered_is_known(tmp_path: Path) -> None:
    times = {"1": "2026-06-02T00:00:00Z", "2": "2026-06-15T08:00:00Z", "3": "2026-06-15T09:00:00+02:00"}
    capture = read(tmp_path, *(event(REQUEST, ANSWER, when, number) for number, when in times.items()))
    assert capture.latest is not None
    assert capture.latest.isoformat() == "2026-06-15T08:00:00+00:00"


def test_a_request_with_another_number_of_answers_is_told_in_words(tmp_path: Path) -> None:
    two = json.dumps([{"size": 1, "quarter": "a"}] * 2)
    assert read(tmp_path / "a", event(two, ANSWER)).example.endswith("2 rows of the request have 1 answer")
    assert read(tmp_path / "b", event(REQUEST, "5\n6\n")).example.endswith("1 row of the request has 2 answers")


def test_what_cannot_be_read_is_counted_and_told_and_loses_nothing_else(tmp_path: Path) -> None:
    two = json.dumps([{"size": 1, "quarter": "a"}] * 2)
    only_input = json.loads(event(REQUEST, ANSWER, event_id="4"))
    del only_input["captureData"]["endpointOutput"]
    capture = read(
        tmp_path,
        "{no json\n",
        "\n",
        event(two, ANSWER, event_id="2"),
        json.dumps(only_input) + "\n",
        event(REQUEST, ANSWER, event_id="3"),
    )
    assert (capture.rows, capture.unreadable, len(capture.served)) == (1, 3, 1)
    assert capture.example.startswith("a.jsonl: ")


def test_many_rows_become_a_sample_and_those_with_a_price_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_ROWS", 50)
    lines = [event(REQUEST, ANSWER, event_id=str(number), inference_id=f"h{number}") for number in range(500)]
    capture = read(tmp_path, *lines, wanted=("h7", "h499"))
    assert capture.rows == 500
    assert len(capture.served) == 52
    assert [row.key for row in capture.served[:2]] == ["h7", "h499"]
    assert (capture.found, capture.wanted_by_month["2026-06", "abc"]) == (2, 2)
    numbers = [int(row.key[1:]) for row in capture.served[2:]]
    assert min(numbers) < 150 < 350 < max(numbers)  # of all of them, not of the first or the last


def test_many_rows_with_a_price_become_a_sample_and_are_all_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_ROWS", 50)
    keys = [f"h{number}" for number in range(500)]
    capture = read(tmp_path, *(event(REQUEST, ANSWER, event_id=key, inference_id=key) for key in keys), wanted=(*keys,))
    assert len(capture.served) == 50
    assert (capture.found, capture.wanted_by_month["2026-06", "abc"]) == (500, 500)
    numbers = [int(row.key[1:]) for row in capture.served]
    assert min(numbers) < 150 < 350 < max(numbers)


def test_the_variant_is_the_first_folder_of_a_file(tmp_path: Path) -> None:
    hour = tmp_path / "Blue" / "2026" / "06" / "15" / "08"
    hour.mkdir(parents=True)
    assert read(hour, event(REQUEST, ANSWER)).served[0].variant == ""
    assert [each.variant for each in read_captured(tmp_path, {}, NAMES).served] == ["Blue"]


@pytest.mark.parametrize(
    ("told", "utc"),
    [
        ("2026-07-01T01:30:00+02:00", "2026-06-30T23:30:00+00:00"),
        ("2026-06-30T23:30:00", "2026-06-30T23:30:00+00:00"),
        ("2026-06-30T23:30:00Z", "2026-06-30T23:30:00+00:00"),
    ],
)
def test_times_are_those_of_utc_and_so_are_months(tmp_path: Path, told: str, utc: str) -> None:
    capture = read(tmp_path, event(REQUEST, ANSWER, when=told))
    assert capture.served[0].when.isoformat() == utc
    assert list(capture.by_month) == [("2026-06", "abc")]


@pytest.mark.parametrize(
    ("request_body", "answer"),
    [
        ("", ANSWER),
        ("\n", ANSWER),
        ("5", ANSWER),
        ('{"instances": 5}', ANSWER),
        ("[" * 100_000, ANSWER),
        (REQUEST, ""),
        (REQUEST, '{"predictions": [5]}'),
        (REQUEST, '{"predictions": [{"score": 1' + "0" * 400 + "}]}"),
    ],
)
def test_any_body_is_read_or_counted_as_unreadable(tmp_path: Path, request_body: str, answer: str) -> None:
    capture = read(tmp_path, event(request_body, answer), event(REQUEST, ANSWER, event_id="2"))
    assert (capture.unreadable, capture.rows) == (1, 1)


def test_metadata_of_any_type_is_read_or_counted_as_unreadable(tmp_path: Path) -> None:
    documents = [json.loads(event(REQUEST, ANSWER, event_id=str(number))) for number in range(4)]
    documents[0]["eventMetadata"]["inferenceTime"] = 1750000000
    documents[1]["eventMetadata"] = "none"
    documents[2]["captureData"] = []
    capture = read(tmp_path, *(json.dumps(each) + "\n" for each in documents), "5\n", "null\n")
    assert (capture.unreadable, capture.rows) == (5, 1)


def test_a_window_without_files_is_empty(tmp_path: Path) -> None:
    assert read_captured(tmp_path / "nothing", {}, NAMES) == Capture()
