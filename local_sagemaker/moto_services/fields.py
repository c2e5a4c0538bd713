"""The names in a request to one of moto's services, which moto takes as they come."""

import json
from functools import cache
from typing import Any

from botocore.exceptions import UnknownServiceError
from botocore.model import OperationNotFoundError, ServiceModel

from local_sagemaker.errors import ServiceError
from local_sagemaker.wire.constraints import check_names
from local_sagemaker.wire.http_request import HttpRequest
from local_sagemaker.wire.model import api_loader


def check_fields(request: HttpRequest) -> None:
    """Raise ServiceError where a field called ...Name is not of the pattern of its shape (see wire/constraints.py)."""
    try:
        shape = _model(request.service).operation_model(request.action).input_shape
    except (UnknownServiceError, OperationNotFoundError):
        return
    fields: Any = request.form
    if not fields:
        try:
            fields = json.loads(request.body)
        except ValueError:
            return
    try:
        check_names(request.action, fields, shape)
    except ServiceError as error:
        raise ServiceError("ValidationError", error.message) if request.form else error from None


@cache
def _model(service: str) -> ServiceModel:
    return ServiceModel(api_loader().load_service_model(service, "service-2"), service)
