"""A state folder of an older version opens with everything in it; so does one of this version."""

import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.conftest import kill
from tests.local_sagemaker.state.filled import PART, fill, require_all, seen

FOLDER = Path(__file__).parent


def test_a_state_of_format_1_opens_with_everything_in_it(new_server: Callable[[], Any]) -> None:
    server = new_server()
    with tarfile.open(FOLDER / "format_1.tar.xz") as tar:
        tar.extractall(server.state, filter="data")
    expected = json.loads((FOLDER / "format_1.json").read_text())
    started = server.up()
    require_all(server.client, expected)
    kill(started.pid)
    server.up()
    require_all(server.client, expected)
    _finish_upload(server.client("s3"))


def test_everything_that_this_version_keeps_survives_a_kill(new_server: Callable[[], Any]) -> None:
    server = new_server()
    started = server.up()
    fill(server.client)
    before, objects = seen(server.client), server.state / "objects"
    files = set(objects.iterdir())
    (objects / "half").write_bytes(b"of an upload that the kill cut off")
    kill(started.pid)
    server.up()
    require_all(server.client, before)
    assert set(objects.iterdir()) == files
    _finish_upload(server.client("s3"))


def _finish_upload(s3: Any) -> None:
    [upload] = s3.list_multipart_uploads(Bucket="plain")["Uploads"]
    named = {"Bucket": "plain", "Key": upload["Key"], "UploadId": upload["UploadId"]}
    parts = [{"PartNumber": part["PartNumber"], "ETag": part["ETag"]} for part in s3.list_parts(**named)["Parts"]]
    s3.complete_multipart_upload(**named, MultipartUpload={"Parts": parts})
    assert s3.get_object(Bucket="plain", Key="later")["Body"].read() == b"1" * PART + b"3" * PART
    assert s3.head_object(Bucket="plain", Key="later")["Metadata"] == {"m": "1"}
    assert s3.get_object_tagging(Bucket="plain", Key="later")["TagSet"] == [{"Key": "t", "Value": "u"}]
