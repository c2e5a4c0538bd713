"""One request over HTTP, read once from what WSGI hands over."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import parse_qs, parse_qsl

from werkzeug.datastructures import EnvironHeaders

from local_sagemaker.errors import ServiceError

Environ = dict[str, Any]
FORM = "application/x-www-form-urlencoded"
UPLOAD = "multipart/form-data"  # of an object, by a page; its signature is inside
SIGNED_AS = {"monitoring": "cloudwatch"}  # in signatures: the service


@dataclass(frozen=True)
class Signature:
    """Who signed a request, and for what; what it does not say is empty."""

    access_key: str = ""
    region: str = ""
    service: str = ""
    present: bool = False

    @classmethod
    def of(cls, authorization: str, query: Mapping[str, list[str]]) -> "Signature":
        """Read it off the header or, as presigned addresses have it, the query.

        Formats: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html, and the
        older one of S3: https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html
        """
        present = authorization.startswith("AWS") or any(name.endswith("Signature") for name in query)
        if "Credential=" not in authorization:
            given = query.get("X-Amz-Credential", query.get("AWSAccessKeyId", [""]))[0]
            return cls(given.partition("/")[0], present=present)
        parts = authorization.partition("Credential=")[2].partition(",")[0].split("/")
        region, name = (parts[2], parts[3]) if len(parts) >= 5 else ("", "")
        return cls(parts[0], region, SIGNED_AS.get(name, name), present)


class HttpRequest:
    """A request and, once it was read, its body.

    `path` is decoded, `uri` is as it was sent. `environ` is what WSGI handed over, for moto alone, which finds there
    what is changed in it.
    """

    def __init__(self, environ: Environ) -> None:
        self.environ = environ
        self.method = str(environ.get("REQUEST_METHOD", "GET"))
        self.path = str(environ.get("PATH_INFO", "/"))
        self.uri = str(environ.get("REQUEST_URI") or self.path)
        self.query = str(environ.get("QUERY_STRING", ""))
        self.headers = EnvironHeaders(environ)
        self.content_type = self.headers.get("Content-Type", "")
        self._body: bytes | None = None

    @cached_property
    def parameters(self) -> dict[str, list[str]]:
        """The query, empty values included."""
        return parse_qs(self.query, keep_blank_values=True)

    @cached_property
    def signature(self) -> Signature:
        """Who signed it."""
        return Signature.of(self.headers.get("Authorization", ""), self.parameters)

    @property
    def service(self) -> str:
        """The service that it is signed for; S3 where it does not say."""
        return self.signature.service or "s3"

    @property
    def target(self) -> tuple[str, str]:
        """Service and operation of a JSON protocol, such as SageMaker and CreateModel; empty in others."""
        service, _, operation = self.headers.get("X-Amz-Target", "").rpartition(".")
        return service, operation

    @property
    def is_upload(self) -> bool:
        """Whether a page sends an object as a form."""
        return self.content_type.startswith(UPLOAD)

    @cached_property
    def form(self) -> dict[str, str]:
        """The fields of the older protocol; none where the body is something else."""
        if not self.content_type.startswith(FORM):
            return {}
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    @property
    def action(self) -> str:
        """The operation, in either protocol."""
        return self.target[1] or self.form.get("Action", "")

    def read(self, limit: int | None, code: str) -> bytes:
        """The body; ServiceError (413) of a code where it has more bytes than the limit. None means no limit."""
        announced = int(self.headers.get("Content-Length") or 0)
        more = None if limit is None else limit + 1
        body = b"" if limit is not None and announced > limit else bytes(self.environ["wsgi.input"].read(more))
        if limit is not None and max(announced, len(body)) > limit:
            raise ServiceError(code, f"The body is larger than {limit} bytes.", 413)
        self.environ.pop("HTTP_TRANSFER_ENCODING", None)
        self.environ.update({"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))})
        self._body = body
        return body

    @property
    def body(self) -> bytes:
        """What was read; nothing where nothing was."""
        return self._body or b""
