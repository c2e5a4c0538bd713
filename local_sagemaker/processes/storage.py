"""Where jobs read and write objects: the little that the job runtime asks of S3."""

import re
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote

from local_sagemaker.processes.outcome import ClientFault

# Both forms of https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
HTTPS = re.compile(
    r"https://(?:(?P<bucket>[^/]+)\.)?s3(?:[.-][a-z0-9-]+)?\.amazonaws\.com(?:\.cn)?"
    r"/(?(bucket)|(?P<first>[^/]+)/?)(?P<key>.*)",
)


class ObjectStore(Protocol):
    """Objects by bucket and key. Each method raises LookupError where the bucket or the object is missing."""

    def list(self, bucket: str, prefix: str) -> list[str]:
        """All keys that start with prefix, sorted."""

    def download(self, bucket: str, key: str, path: Path) -> None:
        """Write an object to a file, without holding it in memory."""

    def upload(self, path: Path, bucket: str, key: str, content_type: str | None = None) -> None:
        """Store a file as an object; without a content type it has S3's default."""

    def content_type(self, bucket: str, key: str) -> str | None:
        """The content type that an object was stored with, if any."""


def split_s3_uri(uri: str) -> tuple[str, str]:
    """Bucket and key (or prefix) of an S3 URI, or of an https URL of S3; ClientFault for anything else."""
    if found := HTTPS.fullmatch(uri):
        return found["bucket"] or found["first"], unquote(found["key"] or "")
    scheme, _, rest = uri.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme != "s3" or not bucket:
        raise ClientFault(f"{uri!r} is not an S3 URI: give s3://bucket/key.")
    return bucket, key


def fetch(store: ObjectStore, uri: str, path: Path) -> None:
    """Download the object that a URI names; ClientFault, naming the URI, where there is none."""
    bucket, key = split_s3_uri(uri)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        store.download(bucket, key, path)
    except LookupError as error:
        raise ClientFault(f"The object {uri} cannot be downloaded: {error}") from None
