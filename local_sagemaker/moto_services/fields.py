"""The names in a request to one of moto's services, which moto takes as they come."""

import json
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

from botocore.exceptions import UnknownServiceError
from botocore.model import OperationNotFoundError, ServiceModel

from local_sagemaker.errors import ServiceError
from local_sagemaker.wire.constraints import check_names
from local_sagemaker.wire.model import api_loader


def form(environ: dict[str, Any]) -> dict[str, str]:
    """The fields of a request of the older protocol, a form; none where the body is something else."""
    if not environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        return {}
    return dict(parse_qsl(_body(environ).decode("utf-8", "replace"), keep_blank_values=True))


def check_fields(service: str, action: str, environ: dict[str, Any]) -> None:
    """Raise ServiceError where a field called ...Name is not of the pattern of its shape (see wire/constraints.py)."""
    try:
        shape = _model(service).operation_model(action).input_shape
    except (UnknownServiceError, OperationNotFoundError):
        return
    fields: Any = form(environ)
    if not fields:
        try:
            fields = json.loads(_body(environ))
        except ValueError:
            return
    try:
        check_names(action, fields, shape)
    except ServiceError as error:
        raise ServiceError("ValidationError", error.message) if form(environ) else error from None


@cache
def _model(service: str) -> ServiceModel:
    return ServiceModel(api_loader().load_service_model(service, "service-2"), service)


def _body(environ: dict[str, Any]) -> bytes:
    body: bytes = environ["wsgi.input"].read()
    environ["wsgi.input"].seek(0)
    return body
