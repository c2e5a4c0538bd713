"""Requests and answers of an endpoint as JSON lines in S3, in the format of SageMaker's data capture.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-endpoint.html
"""

import base64
import json
import logging
import queue
import secrets
import tempfile
import threading
import uuid
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from local_sagemaker.processes.storage import ObjectStore, split_s3_uri

LOG = logging.getLogger("local_sagemaker.hosting")
FLUSH_SECONDS = 1.0  # for which events are collected into one object
MOST_BYTES = 64 << 20  # of events that wait where the destination cannot be written; then the oldest go
EVENT_BYTES = 500  # of an event beside its two bodies, about
BOTH = "InputAndOutput"
RANDOM = secrets.SystemRandom()


@dataclass(frozen=True)
class CaptureSettings:
    """What of DataCaptureConfig decides over an event; the content types are without parameters."""

    destination: str
    percentage: int
    modes: frozenset[str]
    csv_types: frozenset[str]
    json_types: frozenset[str]

    @classmethod
    def of(cls, config: Mapping[str, Any] | None) -> "CaptureSettings | None":
        """The settings of a DataCaptureConfig; None where there is none, or it is switched off."""
        if config is None or not config.get("EnableCapture", True):
            return None
        options = {option["CaptureMode"] for option in config["CaptureOptions"]}
        headers = config.get("CaptureContentTypeHeader", {})
        return cls(
            destination=config["DestinationS3Uri"].rstrip("/"),
            percentage=config["InitialSamplingPercentage"],
            modes=frozenset({"Input", "Output"} if BOTH in options else options),
            csv_types=frozenset(map(_media_type, headers.get("CsvContentTypes", []))),
            json_types=frozenset(map(_media_type, headers.get("JsonContentTypes", []))),
        )


@dataclass(frozen=True)
class Event:
    """One invocation that was answered."""

    variant: str
    moment: datetime
    request: bytes
    request_type: str
    answer: bytes
    answer_type: str
    custom_attributes: str | None = None
    inference_id: str | None = None


class DataCapture:
    """Writes a sample of an endpoint's events to S3, about a second later and in a thread of its own.

    The keys are prefix/endpoint/variant/yyyy/mm/dd/hh/MM-SS-mmm-uuid.jsonl, in UTC. What cannot be written
    is tried again with the next events; `close` writes what is left.
    """

    def __init__(self, settings: CaptureSettings, endpoint: str, store: ObjectStore) -> None:
        self.works = True
        self._settings = settings
        self._endpoint = endpoint
        self._store = store
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._waiting: list[Event] = []
        self._news = threading.Event()
        self._closed = threading.Event()
        self._writer = threading.Thread(target=self._write_until_closed, name=f"capture-{endpoint}", daemon=True)
        self._writer.start()

    def take(self, event: Event) -> None:
        """Keep the event, if it is in the sample; returns at once."""
        if RANDOM.random() * 100 < self._settings.percentage:
            self._events.put(event)
            self._news.set()

    def close(self) -> None:
        """Write what was taken, and stop."""
        self._closed.set()
        self._news.set()
        self._writer.join()
        self._write()

    def _write_until_closed(self) -> None:
        while not self._closed.is_set():
            self._news.wait()
            self._closed.wait(FLUSH_SECONDS)
            self._news.clear()
            self._write()
            if self._waiting:
                self._news.set()  # the destination refused them: again, in a while

    def _write(self) -> None:
        while not self._events.empty():
            self._waiting.append(self._events.get())
        parts = defaultdict(list)
        for event in self._waiting:
            parts[event.variant, f"{event.moment:%Y/%m/%d/%H}"].append(event)
        refused: list[Event] = []
        for events in parts.values():
            try:
                self._upload(events)
            except Exception as error:  # a bucket that is gone, a full disk: captures must not end for good
                refused += events
                if self.works:
                    LOG.warning("data capture of the endpoint %s cannot be written: %s", self._endpoint, error)
                self.works = False
        self._waiting = self._kept(refused)
        self.works = not refused

    def _kept(self, events: list[Event]) -> list[Event]:
        """The newest of the events that could not be written, as many as may wait."""
        size = 0
        for number, event in enumerate(reversed(events)):
            size += len(event.request) + len(event.answer) + EVENT_BYTES
            if size > MOST_BYTES:
                LOG.warning("data capture of %s: %d events are lost", self._endpoint, len(events) - number)
                return events[-number:] if number else []
        return events

    def _upload(self, events: list[Event]) -> None:
        first = events[0]
        name = f"{first.moment:%Y/%m/%d/%H/%M-%S}-{first.moment.microsecond // 1000:03d}-{uuid.uuid4()}.jsonl"
        uri = f"{self._settings.destination}/{self._endpoint}/{first.variant}/{name}"
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "events.jsonl"
            with path.open("w", encoding="utf-8") as stream:
                for event in events:
                    stream.write(f"{json.dumps(document_of(event, self._settings), separators=(',', ':'))}\n")
            self._store.upload(path, *split_s3_uri(uri))


def document_of(event: Event, settings: CaptureSettings) -> dict[str, Any]:
    """The event as SageMaker writes it."""
    captured: dict[str, Any] = {}
    if "Input" in settings.modes:
        captured["endpointInput"] = _side("INPUT", event.request, event.request_type, settings)
    if "Output" in settings.modes:
        captured["endpointOutput"] = _side("OUTPUT", event.answer, event.answer_type, settings)
    metadata: dict[str, Any] = {"eventId": str(uuid.uuid4())}
    if event.custom_attributes:
        metadata["customAttributes"] = [event.custom_attributes]
    if event.inference_id:
        metadata["inferenceId"] = event.inference_id
    metadata["inferenceTime"] = f"{event.moment.astimezone(timezone.utc):%Y-%m-%dT%H:%M:%SZ}"
    return {"captureData": captured, "eventMetadata": metadata, "eventVersion": "0"}


def _side(mode: str, data: bytes, content_type: str, settings: CaptureSettings) -> dict[str, str]:
    text, encoding = _encoded(data, _media_type(content_type), settings)
    return {"observedContentType": content_type, "mode": mode, "data": text, "encoding": encoding}


def _encoded(data: bytes, media_type: str, settings: CaptureSettings) -> tuple[str, str]:
    known = "CSV" if media_type in settings.csv_types else "JSON" if media_type in settings.json_types else None
    if known is not None:
        try:
            return data.decode(), known
        except UnicodeDecodeError:
            LOG.debug("a body of the type %s is not UTF-8: it is captured as BASE64", media_type)
    return base64.b64encode(data).decode(), "BASE64"


def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()
