"""What a model answers over HTTP, from what its handlers return or raise."""

import sys
from dataclasses import dataclass
from typing import Any

CUSTOM_ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
UNSUPPORTED_MEDIA_TYPE = 415
NOT_ACCEPTABLE = 406


@dataclass(frozen=True)
class Answer:
    """An HTTP response."""

    status: int
    content_type: str
    body: bytes
    custom_attributes: str | None = None  # which InvokeEndpoint hands on to its caller


class UnsupportedFormat(Exception):
    """A default handler has no decoder, or no encoder, for a content type."""

    status_code = UNSUPPORTED_MEDIA_TYPE  # of sagemaker-inference's UnsupportedFormatError

    def __init__(self, content_type: str) -> None:
        super().__init__(content_type)
        self.message = (
            f"Content type {content_type} is not supported by this framework: write an input_fn to read it, or an "
            "output_fn to answer with it."
        )

    def __str__(self) -> str:
        """The message."""
        return self.message


def answer_of(result: Any, accept: str) -> Answer:
    """What a handler may return: body, (body, content type), or a Flask or Werkzeug response."""
    if isinstance(result, Answer):
        return result
    if hasattr(result, "get_data") and hasattr(result, "status_code"):
        attributes = result.headers.get(CUSTOM_ATTRIBUTES)
        return Answer(result.status_code, result.content_type or accept, result.get_data(), attributes)
    body, content_type = result if isinstance(result, tuple) else (result, accept)
    if isinstance(body, str):
        body = body.encode()
    if not isinstance(body, bytes | bytearray):
        raise TypeError(f"The handlers returned {type(body).__name__}: text or bytes can be sent.")
    return Answer(200, content_type, bytes(body))


def error_answer(error: Exception) -> Answer:
    """What is answered where a handler raises."""
    werkzeug = sys.modules.get("werkzeug.exceptions")  # loaded, if the user's code raised one of its errors
    if werkzeug is not None and isinstance(error, werkzeug.HTTPException):
        if error.response is not None:
            return answer_of(error.response, "text/plain")
        return plain(error.code or 500, str(error.description))
    status, message = getattr(error, "status_code", None), getattr(error, "message", None)
    if isinstance(status, int) and 400 <= status < 600 and isinstance(message, str):
        return plain(status, message)
    return plain(500, str(error) or type(error).__name__)


def plain(status: int, text: str) -> Answer:
    """A line of text."""
    return Answer(status, "text/plain; charset=utf-8", text.encode())
