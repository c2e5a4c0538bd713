"""Errors as the clients of each AWS protocol read them."""

import json
import sqlite3
from http import HTTPStatus
from pathlib import Path
from xml.sax.saxutils import escape

from local_sagemaker.errors import ServiceError, is_disk_full
from local_sagemaker.http.invocations import ModelError
from local_sagemaker.wire.http_request import FORM, HttpRequest

XML_SERVICES = ("iam", "sts", "sns", "sqs", "cloudwatch", "route53", "cloudfront")  # also without a form
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


def error_response(request: HttpRequest, error: ServiceError) -> Response:
    """An error in the protocol of the request, whether its service is here or not."""
    if request.headers.get("Smithy-Protocol") == "rpc-v2-cbor":
        body = _cbor_map({"__type": error.code, "message": error.message})
        return _response(error, body, "application/cbor", ("smithy-protocol", "rpc-v2-cbor"))
    if "X-Amz-Target" in request.headers:
        return _json(error)
    if request.service == "s3":
        # https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
        code = "InternalError" if error.code == "InternalFailure" else error.code
        return _xml_response(error, f"<Error>{_xml(code, error.message)}<RequestId>local</RequestId></Error>")
    if request.service == "ec2":
        # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
        inner = f"<Errors><Error>{_xml(error.code, error.message)}</Error></Errors><RequestID>local</RequestID>"
        return _xml_response(error, f"<Response>{inner}</Response>")
    if request.content_type.startswith(FORM) or request.service in XML_SERVICES:
        kind = "Sender" if error.status < HTTPStatus.INTERNAL_SERVER_ERROR else "Receiver"
        inner = f"<Error><Type>{kind}</Type>{_xml(error.code, error.message)}</Error>"
        return _xml_response(error, f"<ErrorResponse>{inner}<RequestId>local</RequestId></ErrorResponse>")
    return _json(error)


def _json(error: ServiceError) -> Response:
    fields = error.fields if isinstance(error, ModelError) else {"__type": error.code, "message": error.message}
    body = json.dumps(fields).encode()
    return _response(error, body, "application/x-amz-json-1.1", ("x-amzn-ErrorType", error.code))


def _xml_response(error: ServiceError, text: str) -> Response:
    return _response(error, f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'.encode(), "application/xml")


def _cbor_map(texts: dict[str, str]) -> bytes:
    """A map of texts in CBOR (RFC 8949): heads are a major type and a length of four bytes."""

    def head(major: int, length: int) -> bytes:
        return bytes([major << 5 | 26]) + length.to_bytes(4, "big")

    def text(value: str) -> bytes:
        return head(3, len(value.encode())) + value.encode()

    return head(5, len(texts)) + b"".join(text(key) + text(value) for key, value in texts.items())


def _xml(code: str, message: str) -> str:
    return f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"


def _response(error: ServiceError, body: bytes, content_type: str, *headers: tuple[str, str]) -> Response:
    status = f"{error.status} {HTTPStatus(error.status).phrase}"
    return status, [("Content-Type", content_type), ("Content-Length", str(len(body))), *headers], body
