"""What a request of another service than SageMaker asks for, as far as its permissions depend on it."""

import json
from typing import Any
from urllib.parse import urlsplit

from local_sagemaker.iam.service_actions import Asked
from local_sagemaker.wire.http_request import HttpRequest


def asked(request: HttpRequest) -> Asked:
    """The action and the fields of a request whose body was read, or the method and the path of one of S3."""
    fields: dict[str, Any] = json.loads(request.body or b"{}") if request.target[1] else dict(request.form)
    copied = request.headers.get("X-Amz-Copy-Source", "")
    return Asked(request.method, urlsplit(request.uri).path, request.query, request.action, fields, copied)
