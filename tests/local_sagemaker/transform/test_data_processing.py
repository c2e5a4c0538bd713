"""Filters and joins of batch transform, for CSV and JSON lines."""

from typing import Any

import pytest

from local_sagemaker.processes.outcome import ClientFault
from local_sagemaker.transform.data_processing import DataProcessing


def processing(content_type: str = "text/csv", **fields: Any) -> DataProcessing:
    found = DataProcessing.of({"TransformInput": {"ContentType": content_type}, "DataProcessing": fields})
    assert found is not None
    return found


def test_without_filter_and_join_nothing_is_touched() -> None:
    request: dict[str, Any] = {"TransformInput": {}}
    assert DataProcessing.of(request) is None
    assert DataProcessing.of({**request, "DataProcessing": {"InputFilter": "$", "JoinSource": "None"}}) is None


def test_csv_rows_lose_columns_on_the_way_in_and_gain_the_answer_on_the_way_out() -> None:
    job = processing(InputFilter="$[1:]", JoinSource="Input", OutputFilter="$[0,-1]")
    records = [b'7,1,"a,b"\n', b"8,2,c"]
    assert job.payload(records) == b'1,"a,b"\n2,c\n'
    assert job.result(records, b"0.5\n0.6", "text/csv; charset=utf-8") == b"7,0.5\n8,0.6\n"


def test_json_objects_are_joined_under_the_name_of_the_service() -> None:
    job = processing("application/jsonlines", InputFilter="$.features", JoinSource="Input")
    records = [b'{"id": 1, "features": [1, 2]}\n', b'{"id": 2, "features": [3]}\n']
    assert job.payload(records) == b"[1, 2]\n[3]\n"
    expected = b'{"id": 1, "features": [1, 2], "SageMakerOutput": {"score": 5}}\n'
    answer = b'{"score": 5}\n{"score": 6}\n'
    assert job.result(records, answer, "application/jsonlines").startswith(expected)
    kept = processing("application/json", JoinSource="Input", OutputFilter="$['id','SageMakerOutput']")
    assert kept.result(records[:1], b"5", "application/json") == b'{"id": 1, "SageMakerOutput": 5}\n'


def test_json_that_is_no_object_is_kept_beside_the_answer() -> None:
    job = processing("application/jsonlines", JoinSource="Input")
    result = job.result([b"[1]\n", b"[2]\n"], b"3\n4\n", "application/jsonlines")
    assert result == b'{"SageMakerInput": [1], "SageMakerOutput": 3}\n{"SageMakerInput": [2], "SageMakerOutput": 4}\n'


@pytest.mark.parametrize(
    ("records", "answer", "answer_type", "words"),
    [
        ([b"1,2\n", b"3,4\n"], b"5\n", "text/csv", "answered 2 records with 1"),
        ([b"1,2\n"], b"\xff", "text/csv", "It is not CSV: it is not UTF-8 text"),
        ([b"1,2\n"], b"{}", "application/json", "the model answered application/json"),
        ([b"1\n"], b"5", "text/csv", "there is no element 5 among 2"),
    ],
)
def test_what_cannot_be_joined_is_named(records: list[bytes], answer: bytes, answer_type: str, words: str) -> None:
    with pytest.raises(ClientFault, match=words):
        processing(JoinSource="Input", OutputFilter="$[0,5]").result(records, answer, answer_type)


def test_a_record_that_is_no_json_is_named() -> None:
    with pytest.raises(ClientFault, match=r"It is not JSON .*: 'nonsense'"):
        processing("application/jsonlines", InputFilter="$.a").payload([b'{"a": 1}\n', b"nonsense\n"])


@pytest.mark.parametrize(
    ("content_type", "fields", "words"),
    [
        ("image/png", {"JoinSource": "Input"}, "needs the ContentType text/csv"),
        ("text/csv", {"InputFilter": "$..a"}, "is not supported from"),
    ],
)
def test_a_request_that_cannot_be_met_is_refused(content_type: str, fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ClientFault, match=words):
        processing(content_type, **fields)
