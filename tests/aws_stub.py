"""An AWS of a few operations on a real socket, whose answers a test chooses: also the ones that are hard to provoke."""

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

import boto3
from botocore.config import Config

Answer = Callable[[dict[str, Any]], dict[str, Any]]
ACCOUNT, REGION = "123456789012", "eu-west-1"


class Refusal(Exception):
    """An AWS error: its code, message, HTTP status and further fields."""

    def __init__(self, code: str, message: str, status: int = 400, **fields: Any) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.document = {"__type": code, "message": message, "Message": message, **fields}


class StubAws:
    """Answers of operations by name, objects by (bucket, key), models by endpoint; `calls` is what was asked."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.objects: dict[tuple[str, str], bytes] = {}
        self.models: dict[str, Callable[[bytes, str], tuple[bytes, str]]] = {}
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.schedules: dict[str, dict[str, Any]] = {}
        self.url = ""

    def client(self, service: str) -> Any:
        """A boto3 client of this AWS, which does not retry."""
        make: Any = boto3.client
        return make(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id="stub",
            aws_secret_access_key="stub",
            config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
        )

    def asked(self, operation: str) -> list[dict[str, Any]]:
        """The requests of one operation, in order."""
        return [request for name, request in self.calls if name == operation]

    def object(self, bucket: str, key: str) -> bytes:
        """An object's content."""
        if (bucket, key) not in self.objects:
            raise Refusal("NoSuchKey", "The specified key does not exist.", 404)
        return self.objects[bucket, key]

    def listing(self, bucket: str, prefix: str) -> str:
        """The answer of ListObjectsV2 with the delimiter `/`."""
        keys = [key for owner, key in self.objects if owner == bucket and key.startswith(prefix)]
        contents = "".join(
            f"<Contents><Key>{escape(key)}</Key></Contents>" for key in keys if "/" not in key.removeprefix(prefix)
        )
        return f"<ListBucketResult><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>"


class Server(ThreadingHTTPServer):
    """The socket of a stub."""

    daemon_threads = True
    aws: StubAws

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was interrupted closes its connection: what a test of Ctrl-C does."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """AWS's JSON protocol, S3's reads and InvokeEndpoint."""

    protocol_version = "HTTP/1.1"
    # Headers and body leave as two writes: without this, the second one waits for the client's delayed ACK.
    disable_nagle_algorithm = True
    server: Server

    def do_POST(self) -> None:
        if self._is_of_scheduler():
            return
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        target = self.headers.get("X-Amz-Target")
        try:
            answer = self._operation(target, body) if target else self._invocation(body)
        except Refusal as refusal:
            if self.path == "/" and not target:
                fault = f"<Code>{refusal.code}</Code><Message>{escape(str(refusal))}</Message>"
                content = f"<ErrorResponse><Error>{fault}</Error></ErrorResponse>".encode()
            else:
                content = json.dumps(refusal.document).encode()
            self._send(refusal.status, content, "application/json", refusal.code)
        else:
            self._send(200, *answer)

    def do_HEAD(self) -> None:
        """HeadObject, whose refusals have a status and no body."""
        bucket, _, key = unquote(urlsplit(self.path).path).lstrip("/").partition("/")
        try:
            self._answer("HeadObject", {"Bucket": bucket, "Key": key})
            self._send(200, self.server.aws.object(bucket, key), "application/octet-stream", body=False)
        except Refusal as refusal:
            self._send(refusal.status, b"", "application/xml")

    def do_PUT(self) -> None:
        """PutObject."""
        if self._is_of_scheduler():
            return
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        bucket, _, key = unquote(urlsplit(self.path).path).lstrip("/").partition("/")
        try:
            self._answer("PutObject", {"Bucket": bucket, "Key": key})
        except Refusal as refusal:
            content = f"<Error><Code>{refusal.code}</Code><Message>{escape(str(refusal))}</Message></Error>"
            self._send(refusal.status, content.encode(), "application/xml")
        else:
            self.server.aws.objects[bucket, key] = body
            self._send(200, b"", "application/xml")

    def _answer(self, operation: str, request: dict[str, Any]) -> None:
        """Note a call of S3, which a test refuses with an answer that raises."""
        self.server.aws.calls.append((operation, request))
        answer = self.server.aws.answers.get(operation)
        if answer is not None:
            answer(request)

    def do_DELETE(self) -> None:
        """DeleteSchedule."""
        self._is_of_scheduler()

    def _is_of_scheduler(self) -> bool:
        """Answer a request to EventBridge Scheduler, which keeps schedules; False for another request."""
        path, verbs = urlsplit(self.path).path, {"GET": "Get", "POST": "Create", "PUT": "Update", "DELETE": "Delete"}
        if not path.startswith("/schedules/"):
            return False
        name, kept = path.rpartition("/")[2], self.server.aws.schedules
        request = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
        try:
            self._answer(f"{verbs[self.command]}Schedule", {"Name": name, **request})
            if self.command != "POST" and name not in kept:
                raise Refusal("ResourceNotFoundException", f"Schedule {name} does not exist.", 404)
            answer = {"Name": name, **kept.get(name, {})} if self.command == "GET" else {}
            if self.command in ("POST", "PUT"):
                kept[name] = {**request, "State": "ENABLED", "LastModificationDate": time.time()}
            if self.command == "DELETE":
                del kept[name]
        except Refusal as refusal:
            self._send(refusal.status, json.dumps(refusal.document).encode(), "application/json", refusal.code)
        else:
            self._send(200, json.dumps(answer).encode(), "application/json")
        return True

    def do_GET(self) -> None:
        if self._is_of_scheduler():
            return
        parts = urlsplit(self.path)
        bucket, _, key = unquote(parts.path).lstrip("/").partition("/")
        try:
            if key:
                self._send(200, self.server.aws.object(bucket, key), "application/octet-stream")
            else:
                prefix = parse_qs(parts.query).get("prefix", [""])[0]
                self._send(200, self.server.aws.listing(bucket, prefix).encode(), "application/xml")
        except Refusal as refusal:
            content = f"<Error><Code>{refusal.code}</Code><Message>{escape(str(refusal))}</Message></Error>"
            self._send(refusal.status, content.encode(), "application/xml")

    def _operation(self, target: str, body: bytes) -> tuple[bytes, str]:
        operation, request = target.rpartition(".")[2], json.loads(body or b"{}")
        self.server.aws.calls.append((operation, request))
        answer = self.server.aws.answers.get(operation)
        if answer is None:
            raise Refusal("UnknownOperationException", f"The stub has no answer for {operation}.")
        return json.dumps(answer(request)).encode(), "application/x-amz-json-1.1"

    def _invocation(self, body: bytes) -> tuple[bytes, str]:
        if self.path == "/":  # the query protocol of IAM and STS
            action = parse_qs(body.decode())["Action"][0]
            self._answer(action, {})
            who = f"<Arn>arn:aws:sts::{ACCOUNT}:assumed-role/build/ada</Arn>"
            return f"<{action}Response><{action}Result>{who}</{action}Result></{action}Response>".encode(), "text/xml"
        endpoint = self.path.split("/")[2]
        model = self.server.aws.models.get(endpoint)
        if model is None:
            raise Refusal("ValidationError", f"Endpoint {endpoint} of account {ACCOUNT} not found.")
        return model(body, self.headers["Content-Type"])

    def _send(
        self, status: int, content: bytes, content_type: str, error: str | None = None, *, body: bool = True
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("ETag", '"stub"')
        if error:
            self.send_header("x-amzn-ErrorType", error)
        self.end_headers()
        if body:
            self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """A test that fails says more than a request log."""


@contextmanager
def stub_aws() -> Iterator[StubAws]:
    """Serve a stub on a free port of 127.0.0.1."""
    server = Server(("127.0.0.1", 0), Handler)
    server.aws = StubAws()
    server.aws.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.aws
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def arn(resource: str) -> str:
    """The ARN of a SageMaker resource in the stub's account."""
    return f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{resource}"


def now() -> float:
    """The time of the stub's records, as AWS writes it: seconds since 1970."""
    return time.time()
