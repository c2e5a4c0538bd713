"""Requests of a REST protocol whose bodies are JSON: the operation by method and path, its fields as one document."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import unquote

from botocore.model import ListShape, OperationModel, ServiceModel, Shape, StructureShape

from local_sagemaker.errors import ServiceError
from local_sagemaker.wire.model import api_loader

PLACE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Route:
    """An operation, and the paths that it has."""

    operation: OperationModel
    method: str
    path: re.Pattern[str]


@cache
def rest_service(service: str) -> ServiceModel:
    """botocore's model of a service."""
    return ServiceModel(api_loader().load_service_model(service, "service-2"), service)


def read_request(
    service: str, method: str, path: str, query: dict[str, list[str]], body: dict[str, Any]
) -> tuple[OperationModel, dict[str, Any]]:
    """The operation that is asked for, and its input; `path` is as it was sent. ServiceError where there is none."""
    for route in _routes(service):
        found = route.path.fullmatch(path)
        if found is not None and route.method == method:
            shape = route.operation.input_shape
            members = shape.members if isinstance(shape, StructureShape) else {}
            document = dict(body)
            for name, member in members.items():
                place, called = member.serialization.get("location"), member.serialization.get("name", name)
                if place == "uri":
                    document[name] = unquote(found[called])
                elif place == "querystring" and called in query:
                    document[name] = _value(member, query[called])
            return route.operation, document
    raise ServiceError("UnknownOperationException", f"{service} has no operation for {method} {path}.", 404)


@cache
def _routes(service: str) -> tuple[Route, ...]:
    model = rest_service(service)
    operations = [model.operation_model(name) for name in model.operation_names]
    return tuple(Route(each, each.http["method"], _pattern(each.http["requestUri"])) for each in operations)


def _pattern(uri: str) -> re.Pattern[str]:
    parts = PLACE.split(uri)
    return re.compile("".join(re.escape(part) if n % 2 == 0 else f"(?P<{part}>[^/]+)" for n, part in enumerate(parts)))


def _value(shape: Shape, texts: list[str]) -> Any:
    if isinstance(shape, ListShape):
        return texts
    if shape.type_name in ("integer", "long"):
        return int(texts[0]) if re.fullmatch(r"-?\d+", texts[0]) else texts[0]
    return texts[0]
