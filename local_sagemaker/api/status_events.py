"""The events that SageMaker sends to EventBridge when the status of something changes.

https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html
"""

import json
import logging
import queue
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from local_sagemaker.api.model_cards import searched
from local_sagemaker.state.record_kinds import (
    ENDPOINT,
    EXECUTION,
    EXECUTION_STEP,
    MODEL_CARD,
    PROCESSING_JOB,
    TRAINING_JOB,
    TRANSFORM_JOB,
    TUNING_JOB,
)
from local_sagemaker.wire.dispatch import known_fields
from local_sagemaker.wire.model import service_model

LOG = logging.getLogger("local_sagemaker.events")
Document = dict[str, Any]
SendEvent = Callable[[str, Document], None]
CLOSE_SECONDS = 5.0


@dataclass(frozen=True)
class Described:
    """An event whose detail is the Describe response: its type, the operation, the fields that make it an event."""

    detail_type: str
    operation: str
    arn: str
    statuses: tuple[str, ...]


def _job(words: str, name: str, *more: str) -> Described:
    return Described(f"SageMaker {words} State Change", f"Describe{name}", f"{name}Arn", (f"{name}Status", *more))


DESCRIBED = {
    PROCESSING_JOB: _job("Processing Job", "ProcessingJob"),
    TRAINING_JOB: _job("Training Job", "TrainingJob", "SecondaryStatus"),
    TRANSFORM_JOB: _job("Transform Job", "TransformJob"),
    TUNING_JOB: _job("HyperParameter Tuning Job", "HyperParameterTuningJob"),
    ENDPOINT: _job("Endpoint", "Endpoint"),
}
STATUSES = {
    **{kind: each.statuses for kind, each in DESCRIBED.items()},
    EXECUTION: ("PipelineExecutionStatus",),
    EXECUTION_STEP: ("StepStatus",),
    MODEL_CARD: ("ModelCardStatus",),
}
CARD = (
    "ModelCardVersion",
    "LastModifiedBy",
    "CreatedBy",
    "ModelCardName",
    "ModelCardStatus",
)


class StatusEvents:
    """Told of every change of a record (`changed`), it sends an event where a status is another one.

    The events leave in their order, in a thread of their own: EventBridge's targets may take their time, and whoever
    writes a record holds its lock.
    """

    def __init__(self, send: SendEvent) -> None:
        self._send = send
        self._waiting: queue.SimpleQueue[tuple[str, Document] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="events", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def changed(self, kind: str, before: Document | None, after: Document) -> None:
        """A record was written."""
        fields = STATUSES.get(kind, ())
        if any((before or {}).get(field) != after.get(field) for field in fields):
            self._waiting.put(event_of(kind, before, after))

    def close(self) -> None:
        """Send what waits, and stop."""
        self._waiting.put(None)
        if self._thread.is_alive():
            self._thread.join(CLOSE_SECONDS)

    def _run(self) -> None:
        while (event := self._waiting.get()) is not None:
            try:
                self._send(*event)
            except Exception as error:  # a full disk, a target that is gone: the next event must not be lost for it
                LOG.warning("the event %r was not sent: %s", event[1]["DetailType"], error)


def event_of(kind: str, before: Document | None, after: Document) -> tuple[str, Document]:
    """The region, and the event as PutEvents takes it."""
    if kind == EXECUTION:
        words, resources, detail = _execution(before, after)
    elif kind == EXECUTION_STEP:
        words, resources, detail = _step(before, after)
    elif kind == MODEL_CARD:
        words, resources, detail = _card(after)
    else:
        described = DESCRIBED[kind]
        words, resources = described.detail_type, [after[described.arn]]
        shape = service_model().operation_model(described.operation).output_shape
        detail = _in_milliseconds(known_fields(after, shape), shape)
        if kind == ENDPOINT:  # only in these events: IN_SERVICE, ROLLING_BACK
            detail["EndpointStatus"] = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", after["EndpointStatus"]).upper()
    event = {"Source": "aws.sagemaker", "DetailType": words, "Resources": resources, "Detail": json.dumps(detail)}
    return resources[0].split(":")[3], event


def _execution(before: Document | None, after: Document) -> tuple[str, list[str], Document]:
    detail = {
        "pipelineArn": after["PipelineArn"],
        "pipelineExecutionArn": after["PipelineExecutionArn"],
        "pipelineExecutionDisplayName": after.get("PipelineExecutionDisplayName"),
        "pipelineExecutionDescription": after.get("PipelineExecutionDescription"),
        "currentPipelineExecutionStatus": after["PipelineExecutionStatus"],
        "previousPipelineExecutionStatus": (before or {}).get("PipelineExecutionStatus"),
        "executionStartTime": _moment(after["CreationTime"]),
    }
    if after["PipelineExecutionStatus"] not in ("Executing", "Stopping"):
        detail["executionEndTime"] = _moment(after.get("LastModifiedTime"))
    words = "SageMaker Model Building Pipeline Execution Status Change"
    return words, [after["PipelineArn"], after["PipelineExecutionArn"]], _given(detail)


def _step(before: Document | None, after: Document) -> tuple[str, list[str], Document]:
    execution = after["PipelineExecutionArn"]
    pipeline = execution.partition("/execution/")[0]
    metadata = {
        f"{name[:1].lower()}{name[1:]}": {f"{key[:1].lower()}{key[1:]}": value for key, value in each.items()}
        for name, each in after.get("Metadata", {}).items()
    }
    detail = {
        "metadata": metadata,
        "stepName": after["StepName"],
        "stepType": after["StepType"],
        "stepStartTime": _moment(after.get("StartTime")),
        "stepEndTime": _moment(after.get("EndTime")),
        "currentStepStatus": after["StepStatus"],
        "previousStepStatus": (before or {}).get("StepStatus"),
        "failureReason": after.get("FailureReason"),
        "pipelineArn": pipeline,
        "pipelineExecutionArn": execution,
    }
    words = "SageMaker Model Building Pipeline Execution Step Status Change"
    return words, [pipeline, execution], _given(detail)


def _card(after: Document) -> tuple[str, list[str], Document]:
    """Of each new version and each new status; the content stays where it is, but for the model that it is of."""
    arn = after["ModelCardArn"]
    detail = {
        **{name: after.get(name) for name in CARD},
        "CreationTime": _milliseconds(after["CreationTime"]),
        "LastModifiedTime": _milliseconds(after["LastModifiedTime"]),
        "ModelId": searched(json.loads(after["Content"])).get("ModelId"),
        "AccountId": arn.split(":")[4],
        "SecurityConfig": after.get("SecurityConfig", {}),
    }
    return "SageMaker Model Card State Change", [arn], _given(detail)


def _given(detail: Document) -> Document:
    return {name: value for name, value in detail.items() if value is not None}


def _moment(seconds: float | None) -> str | None:
    return None if seconds is None else f"{datetime.fromtimestamp(seconds, timezone.utc):%Y-%m-%dT%H:%M:%SZ}"


def _milliseconds(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, timezone.utc):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"


def _in_milliseconds(value: Any, shape: Shape) -> Any:
    """A response whose times are milliseconds since 1970, as they are in events."""
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        return {name: _in_milliseconds(item, shape.members[name]) for name, item in value.items()}
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [_in_milliseconds(item, shape.member) for item in value]
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return {name: _in_milliseconds(item, shape.value) for name, item in value.items()}
    return round(value * 1000) if shape.type_name == "timestamp" and isinstance(value, int | float) else value
