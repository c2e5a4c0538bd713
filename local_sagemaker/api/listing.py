"""List operations: the filters, the order and the pages that they all share."""

import base64
import contextlib
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from local_sagemaker.errors import invalid
from local_sagemaker.state.records import Kind, Records

Document = dict[str, Any]

PAGE = 100  # documents, where the request does not say
LOOKS_INTO_ALL = ("NameContains", "LastModifiedTimeAfter", "LastModifiedTimeBefore")
OF_ASSOCIATIONS = ("SourceArn", "DestinationArn", "SourceType", "DestinationType")
SORT_FIELDS = ("CreationTime", "LastModifiedTime", "FinalObjectiveMetricValue", *OF_ASSOCIATIONS)


def page(
    documents: Iterable[Mapping[str, Any]],
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
    return cut(found, request, result=result, name=name, default_size=default_size)


def cut(
    ordered: Sequence[Mapping[str, Any]], request: Document, *, result: str, name: str, default_size: int = PAGE
) -> Document:
    """One page of documents in their order, each of which has another `name`.

    It follows the last of the page before; where that is gone, it follows as many as there were before.
    """
    last, start = _read_token(request, result) or (None, 0)
    if last is not None:
        start = next((place + 1 for place, each in enumerate(ordered) if each.get(name) == last), start)
    end = start + request.get("MaxResults", default_size)
    response: Document = {result: ordered[start:end]}
    if end < len(ordered):
        response["NextToken"] = _token(request, result, ordered[end - 1].get(name), end)
    return response


def page_of(
    records: Records,
    kind: Kind[Any],
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
    last, size = _read_token(request, result), request.get("MaxResults", PAGE)
    found = records.find(
        kind,
        prefix=prefix,
        status=request.get("StatusEquals") if status else None,
        since=_latest(request, "CreationTimeAfter", "CreatedAfter"),
        until=_earliest(request, "CreationTimeBefore", "CreatedBefore"),
        by_name=sort_by == "Name",
        descending=request.get("SortOrder", "Descending") == "Descending",
        after=(last[0], last[1]) if last is not None else None,
        limit=size + 1,
    )
    response: Document = {result: [each.document for each in found[:size]]}
    if len(found) > size:
        response["NextToken"] = _token(request, result, *found[size - 1].place)
    return response


def _latest(request: Document, *names: str) -> float | None:
    return max((request[name] for name in names if name in request), default=None)


def _earliest(request: Document, *names: str) -> float | None:
    return min((request[name] for name in names if name in request), default=None)


def _sort_field(sort_by: str | None, name: str, status: str | None) -> str:
    if sort_by == "Name":
        return name
    if sort_by == "Status" and status is not None:
        return status
    return sort_by if sort_by in SORT_FIELDS else "CreationTime"


def _matches(document: Mapping[str, Any], request: Document, name: str, status: str | None) -> bool:
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


def _token(request: Document, result: str, *last: Any) -> str:
    """Where the next page begins, and of which list it is a page."""
    return base64.urlsafe_b64encode(json.dumps([_list_of(request, result), *last]).encode()).decode()


def _read_token(request: Document, result: str) -> tuple[Any, int] | None:
    """Where the page begins; None for the first. ServiceError for a token that this list has not given out."""
    token = request.get("NextToken")
    if token is None:
        return None
    with contextlib.suppress(ValueError, TypeError):
        of, last, number = json.loads(base64.urlsafe_b64decode(token))
        if of == _list_of(request, result):
            return last, int(number)
    raise invalid(f"Invalid NextToken {token!r}: it does not belong to this list.")


def _list_of(request: Document, result: str) -> str:
    asked = {name: value for name, value in request.items() if name not in ("NextToken", "MaxResults")}
    return hashlib.sha256(json.dumps([result, asked], sort_keys=True, default=str).encode()).hexdigest()[:16]
