"""The answer that an output_fn gives where it chooses status or headers itself."""

from typing import Any

from werkzeug.wrappers import Response as _Response

from .content_types import JSON


class Response(_Response):
    """A Flask response whose type is JSON unless it is said."""

    default_mimetype = JSON

    def __init__(
        self,
        response: Any = None,
        accept: Any = None,  # deprecated, and ignored by the toolkit, too
        status: int = 200,
        headers: Any = None,
        mimetype: str | None = None,
        direct_passthrough: bool = False,
    ) -> None:
        super().__init__(response, status, headers, mimetype, None, direct_passthrough)
