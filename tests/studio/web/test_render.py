"""How times, sizes, numbers and statuses read."""

from datetime import datetime, timezone

import pytest

from studio.web.live import event
from studio.web.render import (
    brief,
    duration,
    environment,
    kind_of_status,
    moment,
    number,
    percent,
    size,
    tabular,
    uri_link,
)


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, "–"), (0, "0.0 s"), (59.94, "59.9 s"), (60, "1 min 0 s"), (3600, "1 h 0 min")]
)
def test_durations(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 kB"), (2_500_000, "2.5 MB")]
)
def test_sizes(count: int, text: str) -> None:
    assert size(count) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.91234, "0.9123"), (12345.678, "12,345.68"), (1234567, "1,234,567"), (True, "True")]
)
def test_numbers(value: object, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("status", "kind"), [("Succeeded", "good"), ("Failed", "bad"), ("Executing", "busy"), ("", "idle"), ("New", "idle")]
)
def test_statuses(status: str, kind: str) -> None:
    assert kind_of_status(status) == kind


def test_a_time_is_in_utc() -> None:
    when = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
    assert moment(when) == '<time datetime="2026-01-02T03:04:05+00:00">2026-01-02 03:04:05 UTC</time>'
    assert moment(None) == "–"


def test_a_location_is_a_link_and_everything_else_is_escaped() -> None:
    assert uri_link("s3://b/a b&c") == '<a href="/objects?uri=s3%3A%2F%2Fb%2Fa%20b%26c">s3://b/a b&amp;c</a>'
    assert uri_link("<script>") == "&lt;script&gt;"
    assert uri_link({"a": "<"}) == "{\n &#34;a&#34;: &#34;&lt;&#34;\n}"


def test_an_event_carries_every_line() -> None:
    assert event("part", "<p>\n\n</p>") == "event: part\ndata: <p>\ndata: \ndata: </p>\n\n"
    assert event("end", "") == "event: end\ndata: \n\n"


def test_a_nested_value_reads_as_one_line() -> None:
    value = {"grade": {"here": 7, "there": 8}, "tags": ["a", "b"], "zip": "98052"}
    assert brief(value) == "grade (here 7, there 8), tags (a, b), zip 98052"
    assert brief("x") == "x"


def test_a_change_has_its_sign_and_one_from_nothing_is_no_number() -> None:
    assert [percent(each) for each in (0.105, -0.0321, 0.0, float("inf"))] == ["+10.5 %", "-3.2 %", "+0.0 %", "from 0"]


def test_a_mark_of_direction_is_shown_by_its_number_and_copied_as_it_is() -> None:
    key = "s3://b/report\u202egpj.exe"
    assert "report⌈U+202E⌉gpj.exe</a>" in uri_link(key)
    template = environment().from_string("{{ key }}|{{ key | e }}")
    assert template.render(key="a\u202eb<") == "a⌈U+202E⌉b&lt;|a\u202eb&lt;"


@pytest.mark.parametrize(
    ("values", "is_table"),
    [
        ([{"a": 1}, {"a": 2}], True),
        ([{"a": 1}] * 200, True),
        ([{"a": 1}] * 201, False),
        ([{"a": 1}], False),
        ([{"a": 1}, {"b": 2}], False),
        ([{"a": 1}, {"a": [2]}], False),
        ([{"a": 1}, 2], False),
        ([1, 2], False),
        ({"a": 1}, False),
    ],
)
def test_objects_with_the_same_names_are_rows_of_a_table(values: object, is_table: bool) -> None:
    assert tabular(values) is is_table
