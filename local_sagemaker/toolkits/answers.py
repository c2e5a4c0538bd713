"""What a model answers over HTTP, from what its handlers return or raise."""

import traceback
from dataclasses import dataclass
from typing import Any

CUSTOM_ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
UNSUPPORTED_MEDIA_TYPE = 415
NOT_ACCEPTABLE = 406
# Flask's answer to an exception that nobody has handled; the exception itself is in the log only.
FLASK_PAGE = """<!doctype html>
<html lang=en>
<title>500 Internal Server Error</title>
<h1>Internal Server Error</h1>
<p>The server encountered an internal error and was unable to complete your request. \
Either the server is overloaded or there is an error in the application.</p>
"""


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


def error_answer(error: Exception, flask: bool) -> Answer:
    """What the image answers to an exception of a handler; to be called where it is handled.

    sagemaker-containers is a Flask application: status 500 and Flask's page, whatever the exception.
    sagemaker-inference answers an exception that derives from its BaseInferenceToolkitError with its own status, any
    other with 500, and with the message and the traceback.
    """
    if flask:
        return Answer(500, "text/html; charset=utf-8", FLASK_PAGE.encode())
    expected = any(base.__name__ == "BaseInferenceToolkitError" for base in type(error).__mro__)
    expected = expected or isinstance(error, UnsupportedFormat)
    status = getattr(error, "status_code", 500) if expected else 500
    message = getattr(error, "message", str(error)) if expected else str(error)
    return plain(status, f"{message}\n{traceback.format_exc()}")


def plain(status: int, text: str) -> Answer:
    """A line of text."""
    return Answer(status, "text/plain; charset=utf-8", text.encode())
