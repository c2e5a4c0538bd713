"""Objects of S3: locations, reading no more than is shown, what lies beside a file."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from studio.account.account import Account
from studio.account.attempts import attempts_for
from studio.errors import StudioError

MOST_JSON = 8 << 20  # bytes of a document that is read whole
MOST_SHOWN = 256 << 10  # bytes of a text that is shown
MOST_RAW = 64 << 20  # bytes of a report or an image


def split_uri(uri: str) -> tuple[str, str]:
    """Bucket and key of an S3 URI; StudioError where it is none."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not uri.startswith("s3://") or not bucket:
        raise StudioError(f"{uri!r} is not a location such as s3://bucket/key.")
    return bucket, key


def read_start(account: Account, uri: str, most: int = MOST_SHOWN) -> tuple[bytes, int]:
    """The first bytes of an object, and how many it has."""
    bucket, key = split_uri(uri)
    client = account.client("s3")
    size = int(client.head_object(Bucket=bucket, Key=key)["ContentLength"])
    if size == 0:
        return b"", 0
    body = client.get_object(Bucket=bucket, Key=key, Range=f"bytes=0-{most - 1}")["Body"]
    return body.read(most), size


def read_whole(account: Account, uri: str, most: int) -> bytes:
    """An object; StudioError where it is larger than `most` bytes."""
    bucket, key = split_uri(uri)
    answer = account.client("s3").get_object(Bucket=bucket, Key=key)
    if answer["ContentLength"] > most:
        raise StudioError(f"{uri} has {answer['ContentLength']:,} bytes: more than {most:,} are not shown.")
    content: bytes = answer["Body"].read()
    return content


def read_json(account: Account, uri: str) -> Any:
    """A JSON document; StudioError where the object is not JSON."""
    try:
        return json.loads(read_whole(account, uri, MOST_JSON))
    except (ValueError, RecursionError):
        raise StudioError(f"{uri} is not JSON.") from None


def list_folder(account: Account, uri: str, token: str | None = None, most: int = 100) -> Mapping[str, Any]:
    """One page of what lies at a prefix: its folders and objects."""
    bucket, prefix = split_uri(uri)
    more = {"ContinuationToken": token} if token else {}
    answer: Mapping[str, Any] = account.client("s3").list_objects_v2(
        Bucket=bucket, Prefix=prefix, Delimiter="/", MaxKeys=most, **more
    )
    return answer


def reports_beside(account: Account, uris: Iterable[str]) -> list[str]:
    """The HTML files that lie in the same folders as some files."""
    folders = list(dict.fromkeys(uri.rpartition("/")[0] + "/" for uri in uris))
    listed = attempts_for(folders, lambda folder: list_folder(account, folder))
    return [
        f"s3://{split_uri(folder)[0]}/{entry['Key']}"
        for folder, answer in zip(folders, listed, strict=True)
        for entry in (answer.value or {}).get("Contents", [])
        if entry["Key"].endswith((".html", ".htm"))
    ]
