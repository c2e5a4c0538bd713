"""One gigabyte through S3, and how much memory the server takes for it."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
from rows import Row, peak_megabytes, warm_server

from local_sagemaker.client import lifecycle

SIZE = 1 << 30
MEGABYTES = SIZE >> 20
BLOCK = 1 << 20


def large_object_rows(folder: Path) -> list[Row]:
    """Durations against the copy of the same file on the disk, and the growth of the server's peak memory."""
    folder.mkdir(parents=True)
    source = folder / "large"
    with source.open("wb") as stream:
        for number in range(MEGABYTES):
            stream.write(number.to_bytes(4, "big") * (BLOCK // 4))
    with warm_server(folder) as environment:
        port = int(environment["SAGEMAKER_LOCAL_PORT"])
        server = lifecycle.find(port)
        if server is None:
            raise SystemExit(f"no server answers on port {port}")
        s3 = boto3.client(
            "s3",
            endpoint_url=server.url,
            region_name="us-east-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )
        s3.create_bucket(Bucket="bench")
        before = peak_megabytes(server.pid)
        put = _seconds(lambda: _put(s3, source))
        get = _seconds(lambda: _get(s3))
        parts = _seconds(lambda: s3.upload_file(str(source), "bench", "parts"))
        growth = peak_megabytes(server.pid) - before
        s3.delete_object(Bucket="bench", Key="whole")
        s3.delete_object(Bucket="bench", Key="parts")
    source.unlink()
    return [
        Row("1 GB through PutObject", put),
        Row("1 GB through GetObject", get),
        Row("1 GB through upload_file, in parts", parts),
        Row("  growth of the server's peak memory, MB / what was sent", growth, MEGABYTES, 0.2),
    ]


def _put(s3: Any, source: Path) -> None:
    with source.open("rb") as stream:
        s3.put_object(Bucket="bench", Key="whole", Body=stream)


def _get(s3: Any) -> None:
    found = sum(len(block) for block in s3.get_object(Bucket="bench", Key="whole")["Body"].iter_chunks(BLOCK))
    if found != SIZE:
        raise SystemExit(f"GetObject gave {found} of {SIZE} bytes")


def _seconds(call: Callable[[], None]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start
