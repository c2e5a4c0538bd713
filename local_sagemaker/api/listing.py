"""List operations: the filters, the order and the pages that they all share."""

import base64
from collections.abc import Iterable
from typing import Any

from local_sagemaker.errors import invalid

Document = dict[str, Any]

SORT_FIELDS = ("CreationTime", "LastModifiedTime", "FinalObjectiveMetricValue")


def page(
    documents: Iterable[Document],
    request: Document,
    *,
    result: str,
    name: str,
    status: str | None = None,
    order: str = "Descending",
    default_size: int = 100,
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
        response["NextToken"] = base64.urlsafe_b64encode(str(end).encode()).decode()
    return response


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
