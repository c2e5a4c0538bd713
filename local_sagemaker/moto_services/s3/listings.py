"""ListObjects, ListObjectsV2 and ListObjectVersions by S3's rules, a page at a time.

moto answers them by looking at every object of the bucket, and pages keys but not common prefixes.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
"""

import base64
import binascii
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

from moto.s3.exceptions import InvalidContinuationToken, S3ClientError
from moto.s3.models import OWNER
from moto.s3.responses import S3Response

from local_sagemaker.moto_services.patches import put
from local_sagemaker.state import s3_rows
from local_sagemaker.state.s3_rows import Listed

XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
LARGEST_PAGE = 1000
SAID_IF_EMPTY = ("Prefix", "Marker", "KeyMarker", "VersionIdMarker")
WHOSE = {"ID": OWNER, "DisplayName": "webfile"}


def install(read: Any) -> None:
    """Have moto's S3 list in this way; `read` gives a connection to the rows."""

    def list_objects(response: Any) -> Any:
        with _Query.of(response, read) as query:
            return query.answer("ListBucketResult", query.objects())

    def list_objects_v2(response: Any) -> Any:
        with _Query.of(response, read) as query:
            return query.answer("ListBucketResult", query.objects_v2())

    def list_object_versions(response: Any) -> Any:
        with _Query.of(response, read) as query:
            return query.answer("ListVersionsResult", query.versions())

    for function in (list_objects, list_objects_v2, list_object_versions):
        put(S3Response, function.__name__, function)


@dataclass
class _Page:
    entries: list[Listed]
    prefixes: list[str]
    last: Listed | str | None
    is_truncated: bool


class _Query:
    """One request for a page."""

    def __init__(self, response: Any, connection: Any) -> None:
        self._response = response
        self._connection = connection
        self._bucket = response.backend.get_bucket(response.bucket_name).name
        self._prefix = self._get("prefix")
        self._delimiter = self._get("delimiter")
        self._encoding = self._get("encoding-type")
        if self._encoding not in ("", "url"):
            raise S3ClientError("InvalidArgument", "Invalid Encoding Method specified in Request")
        self._size = self._page_size()

    @classmethod
    @contextmanager
    def of(cls, response: Any, read: Any) -> Iterator["_Query"]:
        """The query of a response to be."""
        with read() as connection:
            yield cls(response, connection)

    def answer(self, root: str, page: dict[str, Any]) -> tuple[int, dict[str, str], str]:
        """A page as moto sends it, which would take five times as long to write it."""
        said = {name: value for name, value in page.items() if value != "" or name in SAID_IF_EMPTY}
        return 200, {}, f'{XML}<{root} xmlns="{NAMESPACE}">{_elements(said)}</{root}>'

    def objects(self) -> dict[str, Any]:
        """ListObjects: the next page begins after the last name of this one."""
        marker = self._get("marker")
        page = self._page(s3_rows.current(self._connection, self._bucket, self._prefix, self._delimiter, marker))
        result = self._common(page) | {"Marker": self._encoded(marker)}
        result["Contents"] = [self._content(entry) | {"Owner": WHOSE} for entry in page.entries]
        if page.is_truncated and self._delimiter:
            result["NextMarker"] = self._encoded(_name(page.last))
        return result

    def objects_v2(self) -> dict[str, Any]:
        """ListObjectsV2: the token of the next page is the last name of this one."""
        token, start = self._response.querystring.get("continuation-token", [None])[0], self._get("start-after")
        after = start if token is None else _from_token(token)
        page = self._page(s3_rows.current(self._connection, self._bucket, self._prefix, self._delimiter, after))
        result = self._common(page) | {"ContinuationToken": token or "", "StartAfter": self._encoded(start)}
        result["KeyCount"] = len(page.entries) + len(page.prefixes)
        owner = {"Owner": WHOSE} if self._get("fetch-owner") == "true" else {}
        result["Contents"] = [self._content(entry) | owner for entry in page.entries]
        if page.is_truncated:
            result["NextContinuationToken"] = base64.urlsafe_b64encode(_name(page.last).encode()).decode()
        return result

    def versions(self) -> dict[str, Any]:
        """ListObjectVersions: the next page begins after the last version of this one."""
        marker, version = self._get("key-marker"), self._get("version-id-marker")
        if version and not marker:
            raise S3ClientError("InvalidArgument", "A version-id marker cannot be specified without a key marker.")
        number = s3_rows.number_of(self._connection, self._bucket, marker, version) if version else None
        page = self._page(
            s3_rows.every_version(self._connection, self._bucket, self._prefix, self._delimiter, marker, number)
        )
        result = self._common(page) | {"KeyMarker": self._encoded(marker), "VersionIdMarker": version}
        result["Version"] = [
            self._content(entry) | _version(entry) | {"Owner": WHOSE} for entry in page.entries if not entry.marker
        ]
        result["DeleteMarker"] = [
            {"Key": self._encoded(entry.key), "LastModified": _time(entry.modified)}
            | _version(entry)
            | {"Owner": WHOSE}
            for entry in page.entries
            if entry.marker
        ]
        if page.is_truncated:
            result["NextKeyMarker"] = self._encoded(_name(page.last))
            if isinstance(page.last, Listed):
                result["NextVersionIdMarker"] = page.last.version
        return result

    def _page(self, found: Iterable[Listed | str]) -> _Page:
        names = list(islice(found, self._size + 1)) if self._size else []
        page = names[: self._size]
        return _Page(
            [entry for entry in page if isinstance(entry, Listed)],
            [entry for entry in page if isinstance(entry, str)],
            page[-1] if page else None,
            len(names) > self._size,
        )

    def _common(self, page: _Page) -> dict[str, Any]:
        return {
            "Name": self._bucket,
            "Prefix": self._encoded(self._prefix),
            "Delimiter": self._encoded(self._delimiter),
            "MaxKeys": self._size,
            "IsTruncated": page.is_truncated,
            "EncodingType": self._encoding,
            "CommonPrefixes": [{"Prefix": self._encoded(prefix)} for prefix in page.prefixes],
        }

    def _content(self, entry: Listed) -> dict[str, Any]:
        content = {
            "Key": self._encoded(entry.key),
            "LastModified": _time(entry.modified),
            "ETag": f'"{entry.etag}"',
            "Size": entry.size,
            "StorageClass": entry.storage_class,
        }
        return content | {"ChecksumAlgorithm": [entry.checksum_algorithm]} if entry.checksum_algorithm else content

    def _page_size(self) -> int:
        text = self._get("max-keys") or str(LARGEST_PAGE)
        if not (text.isascii() and text.isdigit() and len(text) < 10):
            raise S3ClientError("InvalidArgument", "Argument maxKeys must be an integer between 0 and 2147483647")
        return min(int(text), LARGEST_PAGE)

    def _get(self, name: str) -> str:
        value = self._response.querystring.get(name, [""])[0]
        return value if isinstance(value, str) else value.decode("utf-8", "replace")

    def _encoded(self, name: str) -> str:
        """A name as the client asked for it: XML cannot carry every character that a key may have."""
        return quote(name) if self._encoding else name


def _elements(fields: dict[str, Any]) -> str:
    """Fields as XML; a list is an element for each of its items."""
    return "".join(
        f"<{name}>{_elements(item) if isinstance(item, dict) else _text(item)}</{name}>"
        for name, value in fields.items()
        for item in (value if isinstance(value, list) else (value,))
    )


def _text(value: str | int | bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return escape(value, {"\r": "&#13;"}) if isinstance(value, str) else str(value)


def _version(entry: Listed) -> dict[str, Any]:
    return {"VersionId": entry.version, "IsLatest": bool(entry.latest)}


def _name(entry: Listed | str | None) -> str:
    return entry.key if isinstance(entry, Listed) else entry or ""


def _time(modified: str) -> str:
    return f"{modified[:19]}.000Z"


def _from_token(token: str) -> str:
    try:
        return base64.b64decode(token.encode(), altchars=b"-_", validate=True).decode() or _refused()
    except (binascii.Error, UnicodeError):
        return _refused()


def _refused() -> str:
    raise InvalidContinuationToken()
