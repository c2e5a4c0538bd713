"""List operations: the filters, the order and the pages that they all share."""

import base64
from collections.abc import Iterable
from typing import Any

from local_sagemaker.errors import invalid
from local_sagemaker.state.records import Records

Document = dict[str, Any]

PAGE = 100  # documents, where the request does not say
LOOKS_INTO_ALL = ("NameContains", "LastModifiedTimeAfter", "LastModifiedTimeBefore")
SORT_FIELDS = ("CreationTime", "LastModifiedTime", "FinalObjectiveMetricValue")


def page(
    documents: Iterable[Document],
    request: Document,
    *,
    result: str,
    name: str,
    status: str | None = None,
    order: str = "Descending",
    default_size: int = PAGE,
) -> Document:
    """One page of a List response.

    `name` and `status` are the fields that NameContains and StatusEquals look at; NextToken is opaque.
    """
    found = [document for document in documents if _matches(document, request, name, status)]
    field = _sort_field(request.get("SortBy"), name, status)
    found.sort(key=lambda document: document.get(field, 0), reverse=request.get("SortOrder", order) == "Descending")
    start = _position(request.get("NextToken"))
    end = start + request.get("MaxResults", default_size)
    response: Document = {result: found[start:end]}
    if end < len(found):
        response["NextToken"] = _token(end)
    return response


def page_of(
    records: Records,
    kind: str,
    request: Document,
    *,
    result: str,
    name: str,
    status: str | None = None,
    prefix: str = "",
) -> Document:
    """One page of the documents of a kind whose names start with `prefix`, newest first unless the request says.

    Only the documents of the page are read, however many there are, unless the request looks into all of them.
    `status` is the one of the kind's status column, and the names of the documents begin with their field `name`.
    """
    sort_by = request.get("SortBy", "CreationTime")
    if sort_by not in ("CreationTime", "Name") or any(field in request for field in LOOKS_INTO_ALL):
        return page(records.all(kind, prefix), request, result=result, name=name, status=status)
    start, size = _position(request.get("NextToken")), request.get("MaxResults", PAGE)
    found = records.find(
        kind,
        prefix=prefix,
        status=request.get("StatusEquals") if status else None,
        since=_latest(request, "CreationTimeAfter", "CreatedAfter"),
        until=_earliest(request, "CreationTimeBefore", "CreatedBefore"),
        by_name=sort_by == "Name",
        descending=request.get("SortOrder", "Descending") == "Descending",
        offset=start,
        limit=size + 1,
    )
    response: Document = {result: found[:size]}
    if len(found) > size:
        response["NextToken"] = _token(start + size)
    return response


def _latest(request: Document, *names: str) -> float | None:
    return max((request[name] for name in names if name in request), default=None)


def _earliest(request: Document, *names: str) -> float | None:
    return min((request[name] for name in names if name in request), default=None)


def _token(position: int) -> str:
    return base64.urlsafe_b64encode(str(position).encode()).decode()


def _sort_field(sort_by: str | None, name: str, status: str | None) -> str:
    if sort_by == "Name":
        return name
    if sort_by == "Status" and status is not None:
        return status
    return sort_by if sort_by in SORT_FIELDS else "CreationTime"


def _matches(document: Document, request: Document, name: str, status: str | None) -> bool:
    if request.get("NameContains", "").lower() not in str(document.get(name, "")).lower():
        return False
    if status is not None and request.get("StatusEquals", document.get(status)) != document.get(status):
        return False
    for filter_name, field, later in (
        ("CreationTimeAfter", "CreationTime", True),
        ("CreatedAfter", "CreationTime", True),
        ("CreationTimeBefore", "CreationTime", False),
        ("CreatedBefore", "CreationTime", False),
        ("LastModifiedTimeAfter", "LastModifiedTime", True),
        ("LastModifiedTimeBefore", "LastModifiedTime", False),
    ):
        limit = request.get(filter_name)
        moment = document.get(field, 0)
        if limit is not None and (moment < limit if later else moment > limit):
            return False
    return True


def _position(token: str | None) -> int:
    if token is None:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token))
    except ValueError:
        raise invalid(f"Invalid NextToken {token!r}.") from None
