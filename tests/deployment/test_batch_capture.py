"""What a batch keeps for the monitoring, read back by the monitoring itself."""

import json
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from deployment import batch_capture as module
from deployment.batch_capture import BatchCapture
from monitoring.captured import read_captured

WHEN = datetime(2026, 11, 20, 10, 5, 6, tzinfo=timezone.utc)


class Bucket:
    """Objects by their keys."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def put_object(self, **request: Any) -> None:
        """PutObject."""
        assert request["Bucket"] == "bucket"
        self.objects[request["Key"]] = request["Body"]


def key_of(row: Mapping[str, str]) -> str | None:
    return row.get("id") or None


def test_each_row_is_an_event_that_the_monitoring_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EVENTS_OF_A_FILE", 2)
    (tmp_path / "out.csv").write_text(
        "id,owner,size,rooms,predicted_price\n7,Ada,50,3,100.5\n,Bob,60,,200.25\n9,C,1,2,3\n"
    )
    bucket = Bucket()
    capture = BatchCapture("bucket", "p/capture/staging/p-staging", ["size", "rooms", "view"], "abc", key_of)
    kept = capture.keep(bucket, tmp_path / "out.csv", "job-1", WHEN)
    assert (kept.uri, kept.rows, kept.without_id) == (
        "s3://bucket/p/capture/staging/p-staging/Batch/2026/11/20/10/",
        3,
        1,
    )
    assert len(bucket.objects) == 2
    assert b"Ada" not in b"".join(bucket.objects.values())
    for key, body in bucket.objects.items():
        path = tmp_path / key.removeprefix("p/capture/staging/p-staging/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    found = read_captured(tmp_path, {"7"}, ["size", "rooms"])
    read = [(row.key, row.predicted, row.model, row.variant, row.when) for row in found.served]
    assert read == [
        ("7", 100.5, "abc", "Batch", WHEN),
        ("job-1/2", 200.25, "abc", "Batch", WHEN),
        ("9", 3.0, "abc", "Batch", WHEN),
    ]
    assert json.loads(json.dumps(dict(found.served[1].values))) == {"size": "60", "rooms": None}
    assert (found.unreadable, found.without_id, found.found) == (0, 1, 1)
