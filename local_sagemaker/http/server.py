"""The server: AWS's protocols over HTTP on the loopback interface."""

import io
import json
import logging
import os
import resource
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

from local_sagemaker.clock import Clock
from local_sagemaker.configuration import configured_handlers, configured_time_scale
from local_sagemaker.errors import LocalSageMakerError, ServiceError, invalid
from local_sagemaker.handlers.handlers import Handlers
from local_sagemaker.http.asked import asked
from local_sagemaker.http.connections import RequestHandler, Server
from local_sagemaker.http.error_responses import as_service_error, error_response
from local_sagemaker.http.invocations import endpoint_of, invoke
from local_sagemaker.http.visitors import LOOPBACK, WARNING, Visitors, is_loopback
from local_sagemaker.moto_services.control_plane import SERVICES, is_signed, signed_region, signed_service
from local_sagemaker.moto_services.s3.bodies import holds_an_object
from local_sagemaker.service import LocalSageMaker
from local_sagemaker.wire.dispatch import Caller
from local_sagemaker.wire.identity import ADMINISTRATOR

LOG = logging.getLogger("local_sagemaker")
LISTEN_QUEUE = 128
LARGEST_BODY = 10 << 20  # bytes of what is not an object; the largest of the services' own limits is smaller
MOST_FILES = 65536  # open at once, where the system's hard limit allows it
EVERYWHERE = "0.0.0.0"  # noqa: S104 - it is what is asked for
HEALTH = "/_local_sagemaker/health"
Environ = dict[str, Any]
StartResponse = Callable[..., Any]


class Application:
    """The WSGI application: SageMaker's operations and invocations here, the other services in moto."""

    def __init__(self, service: LocalSageMaker, visitors: Visitors) -> None:
        self._service = service
        self._visitors = visitors
        self._started = time.time()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request; whatever goes wrong is an AWS error response."""
        try:
            return self._route(environ, start_response)
        except Exception as error:
            if not isinstance(error, ServiceError):
                LOG.exception("a request failed")
            refusal = as_service_error(error, self._service.folder)
            status, headers, body = error_response(environ, refusal)
            start_response(status, headers)
            return [body]

    def _route(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        self._visitors.check(environ)
        path = environ.get("PATH_INFO", "/")
        if path == HEALTH:
            return _json(start_response, self._health())
        self._service.refuse_lost_folder()
        _require_text(environ.get("REQUEST_URI", ""))
        form = environ.get("CONTENT_TYPE", "").startswith("multipart/form-data")  # it has its signature inside
        if environ["REQUEST_METHOD"] == "POST" and not form and not is_signed(environ):
            text = "The request has no signature: give any credentials, such as AWS_ACCESS_KEY_ID=local."
            raise ServiceError("MissingAuthenticationToken", text, 403)
        service, _, operation = environ.get("HTTP_X_AMZ_TARGET", "").partition(".")
        caller = self._caller(environ)
        if service == "SageMaker":
            request = _parsed(_body(environ))
            return _json(start_response, self._service.dispatcher.call(operation, request, caller))
        if service == "Logs_20140328":
            return self._logs(operation, environ, caller, start_response)
        if signed_service(environ) != "s3":
            self._watch_invocation(path, caller)
            answer = invoke(path, environ, self._service.host, self._service.records, caller)
            if answer is not None:
                headers, body = answer
                start_response("200 OK", [*headers, ("Content-Length", str(len(body)))])
                return [body]
        if signed_service(environ) not in SERVICES:
            raise invalid(f"Local SageMaker does not support the service {signed_service(environ)}.")
        if signed_service(environ) != "s3" or not holds_an_object(environ):
            _body(environ)
        self._watch(environ, caller)
        return self._service.control_plane(environ, start_response)

    def _caller(self, environ: Environ) -> Caller:
        """Who asks. Any credentials are the administrator's, unless policies are enforced."""
        account, region = self._service.caller.account, signed_region(environ, self._service.caller.region)
        identity = self._service.control_plane.identity_of(environ)
        if identity is None and self._service.guard.enforces:
            text = "The security token included in the request is invalid: nobody here has this access key."
            raise ServiceError("InvalidClientTokenId", text, 403)
        return Caller(account, region, identity or ADMINISTRATOR)

    def _watch(self, environ: Environ, caller: Caller) -> None:
        if self._service.guard.watches:
            self._service.guard.request(signed_service(environ), asked(environ), caller)

    def _watch_invocation(self, path: str, caller: Caller) -> None:
        name = endpoint_of(path)
        if name is not None:
            watch = self._service.guard.operation
            watch("InvokeEndpoint", {"EndpointName": name}, caller, lambda *_: {})

    def _logs(self, operation: str, environ: Environ, caller: Caller, start_response: StartResponse) -> Iterable[bytes]:
        """Logs of jobs and endpoints from here, others from moto, the list of groups from both."""
        body = _body(environ)
        request = _parsed(body)
        self._watch(environ, caller)
        answer = self._service.logs.call(operation, request, caller)
        if answer is not None:
            return _json(start_response, answer)
        if operation != "DescribeLogGroups" or "nextToken" in request:
            return self._service.control_plane(environ, start_response)
        started: list[Any] = []
        response = self._service.control_plane(environ, lambda *arguments: started.extend(arguments))
        if not started[0].startswith("200"):
            start_response(*started)
            return response
        page = _parsed(b"".join(response))
        page["logGroups"] = [*self._service.logs.groups(request, caller), *page.get("logGroups", [])]
        return _json(start_response, page)

    def _health(self) -> dict[str, Any]:
        handlers = self._service.handlers.file
        return {
            "pid": os.getpid(),
            "state": str(self._service.folder),
            "lost": self._service.is_lost,
            "damaged": len(self._service.damage),
            "full": self._service.is_full,
            "enforces": self._service.guard.enforces,
            "started": self._started,
            "handlers": str(handlers) if handlers else None,
            "time_scale": self._service.clock.scale,
        }


def _require_text(uri: str) -> None:
    """Two names that are not UTF-8 would become one: what cannot be read is replaced on the way to here."""
    try:
        unquote_to_bytes(uri.partition("?")[0].encode("latin-1")).decode()
    except UnicodeDecodeError:
        raise ServiceError("InvalidURI", "Couldn't parse the specified URI: it is not UTF-8.", 400) from None


def serve(folder: Path, port: int, region: str, address: str = LOOPBACK) -> None:
    """Serve until SIGTERM or SIGINT; the handlers are read and the addresses taken before the state is touched.

    The jobs of this machine use the loopback interface, so that is served beside any other address.
    """
    file = configured_handlers()
    handlers = Handlers.load(file) if file else Handlers()
    clock = Clock(configured_time_scale())
    if not is_loopback(address):
        LOG.warning(WARNING.format(address=address))
    addresses = [address] if address == EVERYWHERE else [LOOPBACK] if is_loopback(address) else [LOOPBACK, address]
    listeners = [_listen(each, port) for each in addresses]
    raise_file_limit()
    service = LocalSageMaker(folder, f"http://{LOOPBACK}:{port}", region, handlers=handlers, clock=clock)
    service.recover()
    application = Application(service, Visitors(address))
    servers = [
        Server(listener.getsockname()[0], port, application, RequestHandler, fd=listener.detach())
        for listener in listeners
    ]

    def stop(*_: object) -> None:
        for server in servers:
            server.stopping = True
            threading.Thread(target=server.shutdown).start()

    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, stop)
    LOG.info("local SageMaker on http://%s:%d, state in %s", LOOPBACK, port, folder)
    for server in servers[1:]:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    servers[0].serve_forever()
    service.close()


def raise_file_limit() -> None:
    """Let this process open as many files as its hard limit allows, at most MOST_FILES: each connection is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _listen(address: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)[0][0]
    except OSError as error:
        raise LocalSageMakerError(
            f"{address!r} is not an address to listen on ({error.strerror}): give an IP address."
        ) from None
    try:
        return socket.create_server((address, port), family=family, backlog=LISTEN_QUEUE)
    except OSError as error:
        raise LocalSageMakerError(
            f"Port {port} of {address} cannot be listened on ({error.strerror}): "
            "choose another port with SAGEMAKER_LOCAL_PORT, and an address of this machine."
        ) from None


def _body(environ: Environ) -> bytes:
    """The whole body of a request that is not an object, put back for whoever reads it next."""
    form = environ.get("CONTENT_TYPE", "").startswith("multipart/form-data")  # the upload of an object
    announced = int(environ.get("CONTENT_LENGTH") or 0)
    body = (
        b"" if announced > LARGEST_BODY and not form else environ["wsgi.input"].read(None if form else LARGEST_BODY + 1)
    )
    if not form and max(announced, len(body)) > LARGEST_BODY:
        raise ServiceError("RequestEntityTooLargeException", f"The body is larger than {LARGEST_BODY} bytes.", 413)
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    environ.update({"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))})
    return bytes(body)


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        request = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        raise ServiceError("SerializationException", "The request is not JSON.") from None
    if not isinstance(request, dict):
        raise ServiceError("SerializationException", "The request is not a JSON object.")
    return request


def _json(start_response: StartResponse, document: dict[str, Any]) -> list[bytes]:
    body = json.dumps(document).encode()
    start_response("200 OK", [("Content-Type", "application/x-amz-json-1.1"), ("Content-Length", str(len(body)))])
    return [body]
