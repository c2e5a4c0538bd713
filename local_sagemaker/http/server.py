"""The server: AWS's protocols over HTTP on the loopback interface."""

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
from urllib.parse import unquote_to_bytes, urlsplit

from botocore import xform_name

from local_sagemaker.clock import Clock
from local_sagemaker.configuration import configured_handlers, configured_time_scale
from local_sagemaker.errors import LocalSageMakerError, ServiceError, invalid
from local_sagemaker.handlers.handlers import Handlers
from local_sagemaker.http import functions
from local_sagemaker.http.asked import asked
from local_sagemaker.http.connections import RequestHandler, Server
from local_sagemaker.http.error_responses import as_service_error, error_response
from local_sagemaker.http.invocations import invocation_of, invoke
from local_sagemaker.http.visitors import LOOPBACK, WARNING, Visitors, is_loopback
from local_sagemaker.iam.service_actions import Asked
from local_sagemaker.moto_services.control_plane import SERVICES
from local_sagemaker.moto_services.s3.bodies import holds_an_object
from local_sagemaker.service import LocalSageMaker
from local_sagemaker.wire.constraints import check_request
from local_sagemaker.wire.dispatch import Caller, known_fields
from local_sagemaker.wire.http_request import Environ, HttpRequest
from local_sagemaker.wire.identity import ADMINISTRATOR
from local_sagemaker.wire.rest import read_request

LOG = logging.getLogger("local_sagemaker")
LISTEN_QUEUE = 128
STOP_LOOK_SECONDS = 0.1  # between two looks at whether it is to stop
LARGEST_BODY = 10 << 20  # bytes of what is not an object; the largest of the services' own limits is smaller
MOST_FILES = 65536  # open at once, where the system's hard limit allows it
EVERYWHERE = "0.0.0.0"  # noqa: S104 - it is what is asked for
STATUS_LINES = {200: "200 OK", 201: "201 Created", 202: "202 Accepted", 204: "204 No Content"}
HEALTH = "/_local_sagemaker/health"
SCHEDULER = "scheduler"  # the service, as it is in signatures
StartResponse = Callable[..., Any]


class Application:
    """The WSGI application: SageMaker's operations and invocations here, the other services in moto."""

    def __init__(self, service: LocalSageMaker, visitors: Visitors) -> None:
        self._service = service
        self._visitors = visitors
        self._started = time.time()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request; whatever goes wrong is an AWS error response."""
        request = HttpRequest(environ)
        try:
            return self._route(request, start_response)
        except Exception as error:
            if not isinstance(error, ServiceError):
                LOG.exception("a request failed")
            refusal = as_service_error(error, self._service.folder)
            status, headers, body = error_response(request, refusal)
            start_response(status, headers)
            return [body]

    def _route(self, request: HttpRequest, start_response: StartResponse) -> Iterable[bytes]:
        self._visitors.check(request)
        if request.path == HEALTH:
            return _json(start_response, self._health())
        self._service.refuse_lost_folder()
        _require_text(request.uri)
        if request.method == "POST" and not request.is_upload and not request.signature.present:
            text = "The request has no signature: give any credentials, such as AWS_ACCESS_KEY_ID=local."
            raise ServiceError("MissingAuthenticationToken", text, 403)
        target, operation = request.target
        caller = self._caller(request)
        if target in ("SageMaker", "AnyScaleFrontendService"):
            return _json(start_response, self._called(request, caller))
        if target == "Logs_20140328":
            return self._logs(operation, request, caller, start_response)
        if request.service != "s3":
            self._watch_invocation(request.path, caller)
            service = self._service
            answer = invoke(request, service.host, service.asynchronous, service.records, caller)
            if answer is not None:
                status, headers, body = answer
                start_response(STATUS_LINES[status], [*headers, ("Content-Length", str(len(body)))])
                return [body]
        return self._other_service(request, caller, start_response)

    def _other_service(self, request: HttpRequest, caller: Caller, start_response: StartResponse) -> Iterable[bytes]:
        """A service beside SageMaker and the logs."""
        if request.service == SCHEDULER:
            return _json(start_response, self._schedules(request, caller))
        if request.service == functions.SERVICE:
            return self._functions(request, caller, start_response)
        if request.service == "sagemaker":  # the feature store, metrics and the like sign as SageMaker does
            raise invalid(
                f"Local SageMaker does not support {request.method} {request.path} of SageMaker's other services."
            )
        if request.service not in SERVICES:
            raise invalid(f"Local SageMaker does not support the service {request.service}.")
        if request.service != "s3" or not holds_an_object(request):
            _read(request)
        self._watch(request, caller)
        return self._service.control_plane(request, start_response)

    def _called(self, request: HttpRequest, caller: Caller) -> dict[str, Any]:
        """The answer of SageMaker, or of Application Auto Scaling."""
        (service, operation), document = request.target, _document(request)
        if service == "SageMaker":
            return self._service.dispatcher.call(operation, document, caller)
        self._watch(request, caller)
        return self._service.scaling.call(operation, document, caller)

    def _caller(self, request: HttpRequest) -> Caller:
        """Who asks. Any credentials are the administrator's, unless policies are enforced."""
        account, region = self._service.caller.account, request.signature.region or self._service.caller.region
        identity = self._service.control_plane.identity_of(request)
        if identity is None and self._service.guard.enforces:
            text = "The security token included in the request is invalid: no user or role here has this access key."
            raise ServiceError("InvalidClientTokenId", text, 403)
        return Caller(account, region, identity or ADMINISTRATOR)

    def _watch(self, request: HttpRequest, caller: Caller) -> None:
        if self._service.guard.watches:
            self._service.guard.request(request.service, asked(request), caller)

    def _watch_invocation(self, path: str, caller: Caller) -> None:
        asked_for = invocation_of(path)
        if asked_for is not None:
            operation, name = asked_for
            self._service.guard.operation(operation, {"EndpointName": name}, caller, lambda *_: {})

    def _functions(self, request: HttpRequest, caller: Caller, start_response: StartResponse) -> list[bytes]:
        """Lambda."""
        service = self._service

        def watch(asked_for: Asked) -> None:
            if service.guard.watches:
                service.guard.request(functions.SERVICE, asked_for, caller)

        status, headers, body = functions.answer(request, service.functions, caller, watch, service.targets.deliver)
        start_response(STATUS_LINES[status], [*headers, ("Content-Length", str(len(body)))])
        return [body]

    def _schedules(self, request: HttpRequest, caller: Caller) -> dict[str, Any]:
        """EventBridge Scheduler."""
        path = urlsplit(request.uri).path
        operation, fields = read_request(SCHEDULER, request.method, path, request.parameters, _document(request))
        check_request(operation.name, fields, operation.input_shape)
        if self._service.guard.watches:
            asked_for = Asked(request.method, path, request.query, operation.name, fields)
            self._service.guard.request(SCHEDULER, asked_for, caller)
        answer = getattr(self._service.schedules, xform_name(operation.name))(fields, caller)
        known: dict[str, Any] = known_fields(answer, operation.output_shape)
        return known

    def _logs(
        self, operation: str, request: HttpRequest, caller: Caller, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Logs of jobs and endpoints from here, others from moto, the list of groups from both."""
        document = _document(request)
        self._watch(request, caller)
        answer = self._service.logs.call(operation, document, caller)
        if answer is not None:
            return _json(start_response, answer)
        if operation != "DescribeLogGroups" or "nextToken" in document:
            return self._service.control_plane(request, start_response)
        started: list[Any] = []
        response = self._service.control_plane(request, lambda *arguments: started.extend(arguments))
        if not started[0].startswith("200"):
            start_response(*started)
            return response
        page = _parsed(b"".join(response))
        page["logGroups"] = [*self._service.logs.groups(document, caller), *page.get("logGroups", [])]
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
        threading.Thread(target=server.serve_forever, args=(STOP_LOOK_SECONDS,), daemon=True).start()
    servers[0].serve_forever(STOP_LOOK_SECONDS)
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
            f"Cannot listen on port {port} of {address} ({error.strerror}): "
            "choose another port with SAGEMAKER_LOCAL_PORT, and an address of this machine."
        ) from None


def _read(request: HttpRequest) -> bytes:
    """The body of a request that is not the bytes of an object."""
    return request.read(None if request.is_upload else LARGEST_BODY, "RequestEntityTooLargeException")


def _document(request: HttpRequest) -> dict[str, Any]:
    return _parsed(_read(request))


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
