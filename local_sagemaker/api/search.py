"""Search: the resources that are here, by filters on their fields, sorted.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_Search.html
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timezone
from typing import Any

from botocore.model import ListShape, StructureShape
from dateutil.parser import isoparse

from local_sagemaker.api.listing import cut
from local_sagemaker.api.search_sources import Source
from local_sagemaker.errors import invalid, unsupported
from local_sagemaker.wire.dispatch import Caller, Request
from local_sagemaker.wire.model import service_model
from local_sagemaker.work.tags import Tags

TIMES = ("timestamp",)
DEFAULT_PAGE = 10
NAMES = {"Key", "MetricName", "Name"}  # by which the entries of a list with Values are found
PLACE = "Place"  # what tells a resource from all others; no shape has it


class Search:
    """One operation, over all kinds of resources that have records here."""

    def __init__(self, tags: Tags, sources: Mapping[str, Source]) -> None:
        self._tags = tags
        self._sources = sources

    def search(self, request: Request, caller: Caller) -> Request:
        """The resources of a kind that match an expression, the newest change first by default."""
        resource = request["Resource"]
        if "VisibilityConditions" in request:
            raise unsupported("VisibilityConditions of Search")
        if resource not in self._sources:
            raise unsupported(f"Search for the resource {resource}: it has {', '.join(self._sources)}")
        source = self._sources[resource]
        member = source.member or resource
        shape = service_model().shape_for("SearchRecord").members[member]
        expression = request.get("SearchExpression", {})
        found = [
            document
            for document in (self._tagged(each, source.arn) for each in source.all())
            if _holds(expression, document, shape)
        ]
        field = request.get("SortBy", "LastModifiedTime")
        if "SortBy" in request:
            _type(shape, field)
        found.sort(key=lambda document: _order(_at(document, field)), reverse=request.get("SortOrder") != "Ascending")
        answer = cut(found, request, result="Results", name=PLACE, default_size=DEFAULT_PAGE)
        answer["Results"] = [{member: each} for each in answer["Results"]]
        return answer | {"TotalHits": {"Value": len(found), "Relation": "EqualTo"}}

    def _tagged(self, document: Request, arn: str) -> Request:
        tags = self._tags.of(document.get(arn, ""))
        place = f"{document.get(arn)} {document.get('PipelineVersionId')}"
        return document | {PLACE: place} | ({"Tags": tags} if tags else {})


def _holds(expression: Request, document: Request, shape: StructureShape) -> bool:
    parts = list(_parts(expression, document, shape))
    return any(parts) if expression.get("Operator") == "Or" and parts else all(parts)


def _parts(expression: Request, document: Request, shape: StructureShape) -> Iterator[bool]:
    for each in expression.get("Filters", []):
        yield _passes(each, _at(document, each["Name"]), _type(shape, each["Name"]))
    for nested in expression.get("NestedFilters", []):
        yield _passes_nested(nested, document, shape)
    for inner in expression.get("SubExpressions", []):
        yield _holds(inner, document, shape)


def _passes_nested(nested: Request, document: Request, shape: StructureShape) -> bool:
    """Whether one entry of a list, such as InputDataConfig, passes all filters, which name its fields from the top."""
    name = nested["NestedPropertyName"]
    entries = _at(document, name)
    return any(
        all(
            _passes(each, _at(entry, each["Name"].removeprefix(f"{name}.")), _type(shape, each["Name"]))
            for each in nested["Filters"]
        )
        for entry in (entries if isinstance(entries, list) else [])
    )


def _passes(condition: Request, value: Any, kind: str) -> bool:
    operator = condition.get("Operator", "Equals")
    if operator in ("Exists", "NotExists"):
        return (value is not None) is (operator == "Exists")
    if "Value" not in condition:
        raise invalid(f"The filter on {condition['Name']} needs a Value for the operator {operator}.")
    wanted = condition["Value"]
    if operator == "NotEquals":
        return value is None or not _compare("Equals", value, wanted, condition["Name"], kind)
    return value is not None and _compare(operator, value, wanted, condition["Name"], kind)


def _compare(operator: str, value: Any, wanted: str, name: str, kind: str) -> bool:
    if operator == "In":
        return any(_compare("Equals", value, each.strip(), name, kind) for each in wanted.split(","))
    if operator == "Contains":
        return wanted.lower() in str(value).lower()
    number = isinstance(value, int | float) and not isinstance(value, bool)
    left: Any = float(value) if number else str(value).lower() if isinstance(value, bool) else str(value)
    right: Any = _number(wanted, name, kind) if number else wanted
    if operator != "Equals" and not number:
        raise invalid(f"The operator {operator} is for numbers and times; {name} is a text.")
    comparisons: dict[str, Callable[[Any, Any], bool]] = {
        "Equals": lambda a, b: a == b,
        "GreaterThan": lambda a, b: a > b,
        "GreaterThanOrEqualTo": lambda a, b: a >= b,
        "LessThan": lambda a, b: a < b,
        "LessThanOrEqualTo": lambda a, b: a <= b,
    }
    return comparisons[operator](left, right)


def _number(text: str, name: str, kind: str) -> float:
    """A number, or the moment that an ISO 8601 text names, in seconds since 1970."""
    try:
        return float(text)
    except ValueError:
        if kind not in TIMES:
            raise invalid(f"{text!r} is not a number, as the filter on {name} needs.") from None
    try:
        moment: datetime = isoparse(text)
    except ValueError:
        raise invalid(f"{text!r} is not a time such as 2026-01-31T12:00:00Z.") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()


def _type(shape: StructureShape, name: str) -> str:
    """The type of a field, such as Tags.owner or CreationTime; ValidationException for one that there is not."""
    inner: Any = shape
    parts = name.split(".")
    while parts:
        if isinstance(inner, ListShape):
            inner = inner.member
            continue
        if not isinstance(inner, StructureShape):
            return "string"  # below a map: CustomerMetadataProperties.owner, HyperParameters.eta
        if NAMES & set(inner.members) and "Value" in inner.members and parts[0] not in inner.members:
            return "string"  # a tag, a final metric, a parameter
        if parts[0] not in inner.members:
            raise invalid(f"{shape.name} cannot be searched by {name}: it has no property {parts[0]}.")
        inner = inner.members[parts.pop(0)]
    return str(inner.type_name)


def _at(document: Any, name: str) -> Any:
    """The value of a field by its path; of a list's entries, that of a Key or MetricName, or else the first one's."""
    first, _, rest = name.partition(".")
    if isinstance(document, list):
        entries = [each for each in document if isinstance(each, dict)]
        named = [each for each in entries if name in [each.get(field) for field in NAMES]]
        if named:
            return named[0].get("Value")
        return next((value for each in document if (value := _at(each, name)) is not None), None)
    if not isinstance(document, dict):
        return None
    if name in document or not rest:  # keys of maps may have dots in them
        return document.get(name)
    return _at(document.get(first), rest)


def _order(value: Any) -> tuple[int, float, str]:
    """Numbers among themselves, then texts; what is missing comes first."""
    if isinstance(value, int | float):
        return 1, float(value), ""
    return (0, 0.0, "") if value is None else (2, 0.0, str(value))
