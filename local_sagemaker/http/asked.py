"""What a request of another service than SageMaker asks for, as far as its permissions depend on it."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from local_sagemaker.iam.service_actions import Asked

FORM = "application/x-www-form-urlencoded"


def asked(environ: Mapping[str, Any]) -> Asked:
    """The action and the fields of a request whose body was read, or the method and the path of one of S3."""
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    uri = urlsplit(environ.get("REQUEST_URI") or environ.get("PATH_INFO", "/"))
    query = environ.get("QUERY_STRING", "")
    fields: dict[str, Any] = {}
    if target:
        fields = json.loads(_body(environ) or b"{}")
    elif environ.get("CONTENT_TYPE", "").startswith(FORM):
        fields = {name: values[0] for name, values in parse_qs(_body(environ).decode("utf-8", "replace")).items()}
    action = target.rpartition(".")[2] or str(fields.get("Action", ""))
    copied = environ.get("HTTP_X_AMZ_COPY_SOURCE", "")
    return Asked(environ["REQUEST_METHOD"], uri.path, query, action, fields, copied)


def _body(environ: Mapping[str, Any]) -> bytes:
    stream = environ["wsgi.input"]
    body: bytes = stream.read()
    stream.seek(0)
    return body
