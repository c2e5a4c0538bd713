"""Captured requests are read back for personal columns."""

import base64
import json
from typing import Any

from pipelines.checks.captured import captured_faults
from tests.conftest import BUCKET


def captured(data: str, encoding: str) -> str:
    return json.dumps({"captureData": {"endpointInput": {"data": data, "encoding": encoding}}})


def test_each_object_with_a_personal_column_is_a_fault(s3: Any) -> None:
    prefix = "read-back/capture/staging/"
    clean = [captured('{"x": "owner"}', "JSON"), captured("x,y\n1,2", "CSV")]
    bad = [
        captured('{"instances": [{"x": 1, "Owner": "Ada"}]}', "JSON"),
        captured("x, owner\n1,Ada", "CSV"),
        captured(base64.b64encode(b'{"phone": 1}').decode(), "BASE64"),
        "not a capture",
    ]
    for name, lines in (("AllTraffic/a.jsonl", clean), ("AllTraffic/b.jsonl", bad), ("notes.txt", bad)):
        s3.put_object(Bucket=BUCKET, Key=f"{prefix}{name}", Body="\n".join(lines).encode())
    faults, read = captured_faults(s3, BUCKET, prefix, ["owner", "phone", "address"])
    assert read == 5
    assert {fault.path for fault in faults} == {f"s3://{BUCKET}/{prefix}AllTraffic/b.jsonl"}
    assert [fault.message for fault in faults] == [
        "2 captured requests hold the personal column owner",
        "1 captured requests hold the personal column phone",
    ]
