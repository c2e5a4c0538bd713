"""The predictions of a batch as captured requests of a stage, so that prices are joined with them as with those served.

Source of the layout: "Capture data", SageMaker Developer Guide.
"""

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

VARIANT = "Batch"
EVENTS_OF_A_FILE = 2_000


@dataclass(frozen=True)
class Kept:
    """What was kept below `uri`. without_id: how many of the rows nothing identifies: none has a price."""

    uri: str
    rows: int
    without_id: int


@dataclass(frozen=True)
class BatchCapture:
    """Where the events of a batch go, s3://bucket/folder/Batch/yyyy/mm/dd/hh/, and what is in them.

    fields: the columns that the model has; nothing else of a row is kept. model: its identity. key_of: the id by which
    a row's price will be joined; None where nothing says.
    """

    bucket: str
    folder: str
    fields: Sequence[str]
    model: str
    key_of: Callable[[Mapping[str, str]], str | None]

    def keep(self, s3: Any, predicted: Path, job: str, when: datetime) -> Kept:
        """Store an event for each row of a batch's output, whose last column is the prediction. `when` is in UTC."""
        place = f"{self.folder}/{VARIANT}/{when:%Y/%m/%d/%H}"
        rows = without_id = 0
        with predicted.open(encoding="utf-8", newline="") as stream:
            reader = csv.reader(stream)
            events = self._events(next(reader), reader, job, when)
            while part := list(islice(events, EVENTS_OF_A_FILE)):
                body = "".join(f"{json.dumps(event)}\n" for event in part).encode()
                s3.put_object(Bucket=self.bucket, Key=f"{place}/{when:%M-%S}-000-{job}-{rows:09d}.jsonl", Body=body)
                rows += len(part)
                without_id += sum("inferenceId" not in event["eventMetadata"] for event in part)
        return Kept(f"s3://{self.bucket}/{place}/", rows, without_id)

    def _events(
        self, header: Sequence[str], rows: Iterator[list[str]], job: str, when: datetime
    ) -> Iterator[dict[str, Any]]:
        for number, cells in enumerate(rows, start=1):
            row = dict(zip(header, cells, strict=True))
            request = {name: row[name] or None for name in self.fields if name in row}
            answer = {"predictions": [{"score": float(cells[-1])}], "model": self.model}
            metadata = {"eventId": f"{job}/{number}", "inferenceTime": f"{when:%Y-%m-%dT%H:%M:%SZ}"}
            if key := self.key_of(row):
                metadata["inferenceId"] = key
            sides = {"endpointInput": _side("INPUT", request), "endpointOutput": _side("OUTPUT", answer)}
            yield {"captureData": sides, "eventMetadata": metadata, "eventVersion": "0"}


def _side(mode: str, document: Mapping[str, Any]) -> dict[str, str]:
    return {
        "observedContentType": "application/json",
        "mode": mode,
        "data": json.dumps(document),
        "encoding": "JSON",
    }
