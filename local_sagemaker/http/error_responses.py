"""Errors as the clients of each AWS protocol read them."""

import json
import sqlite3
from http import HTTPStatus
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from local_sagemaker.errors import ServiceError, is_disk_full
from local_sagemaker.http.invocations import ModelError
from local_sagemaker.moto_services.control_plane import signed_service

QUERY_SERVICES = ("iam", "sts", "sns", "sqs", "cloudwatch")
INSUFFICIENT_STORAGE = 507  # clients do not repeat such a request by themselves
Response = tuple[str, list[tuple[str, str]], bytes]  # status line, headers, body


def as_service_error(error: Exception, folder: Path) -> ServiceError:
    """What a client is told of an error that nobody foresaw; `folder` holds the state."""
    if isinstance(error, ServiceError):
        return error
    if is_disk_full(error):
        text = (
            f"The disk of the state folder {folder} is full: nothing was changed; make room and repeat the request. "
            f"({error.strerror if isinstance(error, OSError) else error})"
        )
        return ServiceError("InternalFailure", text, INSUFFICIENT_STORAGE)
    if isinstance(error, OSError | sqlite3.OperationalError):
        text = f"The state folder {folder} could not be used: {error}."
        return ServiceError("InternalFailure", text, INSUFFICIENT_STORAGE)
    return ServiceError("InternalFailure", f"{type(error).__name__}: {error}", HTTPStatus.INTERNAL_SERVER_ERROR)


def error_response(environ: dict[str, Any], error: ServiceError) -> Response:
    """An error in the protocol of the request: S3's XML, the XML of the older services, or JSON."""
    service = signed_service(environ)
    if service == "s3" and "HTTP_X_AMZ_TARGET" not in environ:
        # https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
        code = "InternalError" if error.code == "InternalFailure" else error.code
        text = f"<Error>{_xml(code, error.message)}<RequestId>local</RequestId></Error>"
    elif service in QUERY_SERVICES and "HTTP_X_AMZ_TARGET" not in environ:
        kind = "Sender" if error.status < HTTPStatus.INTERNAL_SERVER_ERROR else "Receiver"
        text = f"<ErrorResponse><Error><Type>{kind}</Type>{_xml(error.code, error.message)}</Error></ErrorResponse>"
    else:
        fields = error.fields if isinstance(error, ModelError) else {"__type": error.code, "message": error.message}
        return _response(
            error, json.dumps(fields).encode(), "application/x-amz-json-1.1", ("x-amzn-ErrorType", error.code)
        )
    return _response(error, f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'.encode(), "application/xml")


def _xml(code: str, message: str) -> str:
    return f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"


def _response(error: ServiceError, body: bytes, content_type: str, *headers: tuple[str, str]) -> Response:
    status = f"{error.status} {HTTPStatus(error.status).phrase}"
    return status, [("Content-Type", content_type), ("Content-Length", str(len(body))), *headers], body
