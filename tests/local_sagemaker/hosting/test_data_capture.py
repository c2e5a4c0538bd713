"""Data capture: the format, the sample, the keys, and what happens where the destination cannot be written."""

import base64
import json
import re
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.hosting import data_capture
from local_sagemaker.hosting.data_capture import CaptureSettings, DataCapture, Event, document_of

MOMENT = datetime(2026, 3, 4, 5, 6, 7, 89_000, tzinfo=timezone.utc)
EVENT = Event("Main", MOMENT, b"1,2", "text/csv; charset=utf-8", b'{"a": 1}', "application/json", "trace", "id-1")
HEADERS = {"CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"]}


def config(**changes: Any) -> dict[str, Any]:
    return {
        "EnableCapture": True,
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": "s3://captured/prefix/",
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": HEADERS,
        **changes,
    }


def settings(**changes: Any) -> CaptureSettings:
    found = CaptureSettings.of(config(**changes))
    assert found is not None
    return found


def lines(store: Any, prefix: str = "prefix/") -> list[dict[str, Any]]:
    found = [(store.folder / "captured" / key).read_text() for key in store.list("captured", prefix)]
    return [json.loads(line) for text in found for line in text.splitlines()]


def test_an_event_is_written_as_sagemaker_writes_it() -> None:
    document = document_of(EVENT, settings())
    assert re.fullmatch("[0-9a-f-]{36}", document["eventMetadata"].pop("eventId"))
    assert document == {
        "captureData": {
            "endpointInput": {
                "observedContentType": "text/csv; charset=utf-8",
                "mode": "INPUT",
                "data": "1,2",
                "encoding": "CSV",
            },
            "endpointOutput": {
                "observedContentType": "application/json",
                "mode": "OUTPUT",
                "data": '{"a": 1}',
                "encoding": "JSON",
            },
        },
        "eventMetadata": {
            "customAttributes": ["trace"],
            "inferenceId": "id-1",
            "inferenceTime": "2026-03-04T05:06:07Z",
        },
        "eventVersion": "0",
    }


@pytest.mark.parametrize(
    ("mode", "sides"),
    [
        ("Input", ["endpointInput"]),
        ("Output", ["endpointOutput"]),
        ("InputAndOutput", ["endpointInput", "endpointOutput"]),
    ],
)
def test_only_the_chosen_sides_are_captured(mode: str, sides: list[str]) -> None:
    assert list(document_of(EVENT, settings(CaptureOptions=[{"CaptureMode": mode}]))["captureData"]) == sides


def test_other_content_types_and_bytes_that_are_no_text_are_base64() -> None:
    side = document_of(EVENT, settings(CaptureContentTypeHeader={}))["captureData"]["endpointInput"]
    assert (side["encoding"], base64.b64decode(side["data"])) == ("BASE64", b"1,2")
    broken = Event("Main", MOMENT, b"\xff\xfe", "text/csv", b"", "text/csv")
    side = document_of(broken, settings())["captureData"]["endpointInput"]
    assert (side["encoding"], base64.b64decode(side["data"])) == ("BASE64", b"\xff\xfe")


def test_capture_is_on_unless_switched_off() -> None:
    assert CaptureSettings.of(None) is None
    assert CaptureSettings.of(config(EnableCapture=False)) is None
    unsaid = config()
    del unsaid["EnableCapture"]
    assert CaptureSettings.of(unsaid) is not None


def test_the_keys_are_partitioned_by_variant_and_hour(store: Any) -> None:
    capture = DataCapture(settings(), "houses", store)
    capture.start()
    capture.take(EVENT)
    capture.take(Event("Other", MOMENT, b"", "a/b", b"", "a/b"))
    capture.take(Event("Main", MOMENT.replace(hour=6), b"", "a/b", b"", "a/b"))
    capture.close()
    keys = store.list("captured", "")
    name = "06-07-089-[0-9a-f-]{36}.jsonl"
    folders = ("Main/2026/03/04/05", "Main/2026/03/04/06", "Other/2026/03/04/05")
    assert len(keys) == 3
    for key, folder in zip(keys, folders, strict=True):
        assert re.fullmatch(f"prefix/houses/{folder}/{name}", key)


def test_the_sample_follows_the_percentage(store: Any) -> None:
    capture = DataCapture(settings(InitialSamplingPercentage=20), "houses", store)
    capture.start()
    for _ in range(2000):
        capture.take(EVENT)
    capture.close()
    assert 290 < len(lines(store)) < 510  # 400 are expected; the bounds are six standard deviations away


@pytest.mark.e2e
def test_events_are_written_soon_and_together(store: Any) -> None:
    capture = DataCapture(settings(), "houses", store)
    capture.start()
    for _ in range(50):
        capture.take(EVENT)
    deadline = time.monotonic() + 30
    while len(lines(store)) < 50:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert len(store.list("captured", "")) <= 2
    capture.close()


def test_events_wait_while_the_destination_cannot_be_written(
    store: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(data_capture, "FLUSH_SECONDS", 0.02)
    real, refused = store.upload, []

    def upload(path: Path, bucket: str, key: str) -> None:
        if len(refused) < 3:
            refused.append(key)
            raise OSError("no space left")
        real(path, bucket, key)

    store.upload = upload
    capture = DataCapture(settings(), "houses", store)
    capture.start()
    capture.take(EVENT)
    deadline = time.monotonic() + 30
    while not lines(store):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    capture.close()
    assert len(lines(store)) == 1
    assert capture.works
    assert caplog.text.count("no space left") == 1  # said once, not at each attempt


def test_only_so_many_events_wait_and_the_oldest_are_lost(
    store: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(data_capture, "MOST_BYTES", 2500)

    def refuse(path: Path, bucket: str, key: str) -> None:
        raise LookupError("There is no bucket 'captured'.")

    store.upload = refuse
    capture = DataCapture(settings(), "houses", store)
    capture.start()
    for number in range(6):
        capture.take(Event("Main", MOMENT, b"%d" % number + b"x" * 499, "a/b", b"", "a/b"))
    capture.close()
    assert [event.request[:1] for event in capture._waiting] == [b"4", b"5"]
    assert "There is no bucket 'captured'" in caplog.text
    assert "4 events are lost" in caplog.text
    assert not capture.works
