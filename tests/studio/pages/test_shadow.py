"""The answers of a shadow beside those of what serves."""

import json
from typing import Any

import pytest

from studio.pages.captured import Captured, _records
from studio.pages.shadow import Pair, compared


def answered(variant: str, request: str, *scores: Any, when: str = "1") -> Captured:
    answer = json.dumps({"predictions": [{"score": score} for score in scores]})
    return Captured(when, "id", variant, request, answer)


def test_answers_to_equal_requests_are_pairs_and_the_rest_is_counted() -> None:
    found = compared(
        [
            answered("new", "a", 110.0),
            answered("old", "a", 100.0, when="3"),
            answered("old", "a", 100.0, when="2"),
            answered("new", "a", 90.0),
            answered("old", "only here", 1.0),
            answered("new", "only there", 1.0),
        ],
        {"new"},
    )
    assert [(pair.when, pair.shadow) for pair in found.pairs] == [("3", 110.0), ("2", 90.0)]
    assert (found.alone, found.mean, found.largest) == (2, pytest.approx(0), pytest.approx(0.1))


def test_each_row_of_a_request_is_a_pair() -> None:
    found = compared([answered("old", "a", 100.0, 200.0), answered("new", "a", 100.0, 100.0)], {"new"})
    assert [pair.difference for pair in found.pairs] == [0, -0.5]


def test_what_is_no_number_is_in_no_pair() -> None:
    refused = Captured("1", "id", "new", "a", "Row 1: no such field")
    assert compared([answered("old", "a", 1.0), refused], {"new"}).pairs == ()
    assert compared([answered("old", "b", "x"), answered("new", "b", 2.0)], {"new"}).pairs == ()


def test_lines_of_csv_are_compared_too() -> None:
    found = compared([Captured("1", "i", "old", "a", "2\n4\n"), Captured("1", "i", "new", "a", "3\n4\n")], {"new"})
    assert [pair.difference for pair in found.pairs] == [0.5, 0]


@pytest.mark.parametrize(("old", "new", "difference"), [(0, 0, 0), (0, 1, float("inf")), (-2, -1, 0.5)])
def test_the_difference_is_relative_to_what_serves(old: float, new: float, difference: float) -> None:
    assert Pair("1", "a", old, new).difference == difference


def test_a_body_in_base64_is_read_and_a_cut_line_is_left_out() -> None:
    data = {"endpointInput": {"data": "MSwy", "encoding": "BASE64"}, "endpointOutput": {"data": "3", "encoding": "CSV"}}
    line = json.dumps({"captureData": data, "eventMetadata": {"eventId": "e", "inferenceTime": "t"}})
    assert _records(f"{line}\n{line[:40]}".encode(), "v") == [Captured("t", "e", "v", "1,2", "3")]
