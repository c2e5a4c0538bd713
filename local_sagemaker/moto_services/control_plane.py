"""moto as the control plane of S3, IAM, STS, EventBridge and the like, made to survive a restart."""

import copyreg
import io
import logging
import os
import pickle
import re
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import FunctionType
from typing import Any
from xml.parsers.expat import ExpatError

from local_sagemaker.clock import Clock
from local_sagemaker.errors import ServiceError, invalid
from local_sagemaker.metrics.store import MetricStore
from local_sagemaker.moto_services import event_targets, identity
from local_sagemaker.moto_services.fields import check_fields
from local_sagemaker.moto_services.s3.view import lost
from local_sagemaker.state.damage import Damage
from local_sagemaker.state.database import Database
from local_sagemaker.state.snapshots import Snapshots
from local_sagemaker.wire.http_request import Environ, HttpRequest
from local_sagemaker.wire.identity import ADMINISTRATOR, Identity

LOG = logging.getLogger("local_sagemaker.moto_services.control_plane")
SERVICES = ("s3", "iam", "sts", "events", "sqs", "sns", "kms", "logs", "ssm", "secretsmanager", "cloudwatch")
WRITES_TO_S3 = "logs"  # its export tasks
QUEUES = "sqs"  # where the events and the notifications of the other services go
LOCKS = {type(make()): make for make in (threading.Lock, threading.RLock)}
READS = ("Describe", "Get", "List")
ERROR = 400
BYTES = re.compile("bytes=[^=]*")  # a Range of anything else means the whole object
MOTO_PATHS = ("/moto-api", "/latest/meta-data/", "/latest/api/")
Started = list[Any]
# What moto raises where a field is missing, or is not what its place asks for; a client that repeats it helps nobody.
UNREADABLE = (ExpatError, ValueError, LookupError, TypeError, AttributeError, AssertionError)


class ControlPlane:
    """moto's WSGI application whose state is saved before each changing request is answered.

    S3 is saved in pieces (s3/state.py). The state of each other service is small: one pickle, that this
    process wrote itself. What cannot be saved is undone, in memory too, and the request fails.
    """

    def __init__(
        self,
        database: Database,
        damage: Damage,
        blobs: Path,
        account: str,
        store: MetricStore | None = None,
        clock: Clock | None = None,
        enforces_iam: bool = False,
        deliver: event_targets.Deliver = lambda arn, event: None,
    ) -> None:
        os.environ["MOTO_ACCOUNT_ID"] = account  # moto reads it once, when first imported
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

        from local_sagemaker.moto_services.alarms import Alarms
        from local_sagemaker.moto_services.cloudwatch import Metrics
        from local_sagemaker.moto_services.cloudwatch import install as install_cloudwatch
        from local_sagemaker.moto_services.objects import S3Objects
        from local_sagemaker.moto_services.s3.blobs import BlobFolder
        from local_sagemaker.moto_services.s3.install import install
        from local_sagemaker.moto_services.s3.state import S3State

        self.account = account
        self.policies = identity.MotoPolicies(account)
        self._enforces_iam = enforces_iam
        self._deliver = deliver
        self._database = database
        self._snapshots = Snapshots(database)
        self._application = DomainDispatcherApplication(create_backend_app)
        self._lock = threading.RLock()  # of every service but S3
        self._written: dict[str, bytes] = {}
        self._restore(damage)
        self._blobs = BlobFolder(blobs)
        self._s3 = S3State(database, install(self._blobs, database), damage, account)
        self.objects = S3Objects(account, self._blobs, self._s3, self.save)
        self.metrics = Metrics(account, store or MetricStore(time.time))
        install_cloudwatch(self.metrics, lambda: self.alarms)
        self.alarms = Alarms(account, self.metrics.points, clock or Clock(), self._saved, self.put_event)

    def __call__(self, request: HttpRequest, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request; what it changed is on disk before the answer leaves."""
        service = request.service
        if request.path.startswith(MOTO_PATHS):
            raise ServiceError("AccessDenied", "moto's own pages are not served: one of them deletes all state.", 403)
        started: Started = []
        if service in ("iam", "sts"):
            identity.install(self.account, self._enforces_iam)
            identity.CALLER.set(self.identity_of(request) or ADMINISTRATOR)
        if service == "events":
            event_targets.install(self._deliver)
            if request.action == "PutTargets":
                event_targets.check_targets(request.body)
        if service == "s3":
            try:
                response = self._answer_s3(request, started)
            except FileNotFoundError as error:
                raise lost(f"s3:/{request.path}", f"the file {error.filename} is gone") from error
        elif _changes(request):
            check_fields(request)
            with self._saved(service), self._s3.changing() if service == WRITES_TO_S3 else nullcontext():
                response = self._answer(request.environ, started)
        else:
            response = self._answer(request.environ, started)
        start_response(*started)
        return response

    def identity_of(self, request: HttpRequest) -> Identity | None:
        """Who signed a request; None where nobody has its access key, and where there is none."""
        return identity.identity_of(request.signature.access_key, self.account)

    def put_event(self, region: str, event: dict[str, Any]) -> None:
        """Send an event to EventBridge's rules, as the service itself would: a target that is gone keeps nobody."""
        from moto.events.models import events_backends

        backend = events_backends[self.account][region]
        if not any(bus.rules for bus in backend.event_buses.values()):
            return  # nobody listens
        event_targets.install(self._deliver)
        with self._saved(QUEUES):
            try:
                backend.put_events([event])
            except Exception as error:
                LOG.warning("an event (%s) did not reach a target: %s", event.get("DetailType"), error)

    def send_message(self, region: str, queue: str, body: str) -> None:
        """Put a message into a queue of SQS; ServiceError where there is no such queue."""
        from moto.sqs.exceptions import QueueDoesNotExist
        from moto.sqs.models import sqs_backends

        try:
            with self._saved(QUEUES):
                sqs_backends[self.account][region].send_message(queue, body)
        except QueueDoesNotExist:
            raise invalid(f"The SQS queue {queue} does not exist in {region}.") from None

    def publish(self, topic: str, text: str) -> None:
        """Publish a text to a topic of SNS, by its ARN; what moto raises where there is no such topic."""
        from moto.sns.models import sns_backends

        _, _, _, region, account, _ = topic.split(":")
        with self._saved(QUEUES):
            sns_backends[account][region].publish(text, arn=topic)

    def save(self, service: str) -> None:
        """Write the state of one service, where it differs from what is on disk; where that fails, go back to it."""
        if self._database.held:
            raise RuntimeError("The control plane must not be used inside a transaction of the records.")
        with self._lock:
            try:
                changed = {
                    name: data
                    for name, backend in _backends(service)
                    if self._written.get(name) != (data := _pickled(backend))
                }
                if changed:
                    self._snapshots.save(changed)
            except BaseException:
                for name, backend in _backends(service):
                    self._go_back(name, backend)
                raise
            self._written.update(changed)

    @contextmanager
    def _saved(self, service: str) -> Iterator[None]:
        """One request at a time; a queue may make its reader wait, so queues look after themselves."""
        if service == QUEUES:
            yield
            self.save(QUEUES)
            return
        with self._lock:
            yield
            self.save(service)
            self.save(QUEUES)

    def _answer(self, environ: Environ, started: Started) -> Iterable[bytes]:
        try:
            answer: Iterable[bytes] = self._application(environ, lambda *arguments: started.extend(arguments))
            return answer
        except UNREADABLE as error:
            LOG.warning("moto could not read a request", exc_info=True)
            code = "MalformedXML" if isinstance(error, ExpatError) else "InvalidRequest"
            raise ServiceError(code, f"The request could not be read: {type(error).__name__}: {error}.", 400) from error

    def _begin_answer(self, environ: Environ, started: Started) -> Iterable[bytes]:
        started.clear()  # of a reading that is repeated
        return self._answer(environ, started)

    def _answer_s3(self, request: HttpRequest, started: Started) -> Iterable[bytes]:
        from local_sagemaker.moto_services.s3.bodies import holds_an_object, receive

        environ = request.environ
        if not BYTES.fullmatch(request.headers.get("Range", "bytes=")):
            del environ["HTTP_RANGE"]
        if request.method in ("GET", "HEAD", "OPTIONS"):
            return self._s3.read(lambda: self._begin_answer(environ, started), alone=_looks_at_memory(request))
        blob = receive(request, self._blobs) if holds_an_object(request) else None
        try:
            with self._s3.changing() as undo:
                response = self._answer(environ, started)
                if int(started[0].split()[0]) >= ERROR:
                    undo()
        finally:
            if blob is not None:
                blob.discard()
        if self._s3.notifies:
            self.save(QUEUES)
        return response

    def _go_back(self, name: str, backend: Any) -> None:
        if name in self._written:
            backend.__dict__ = pickle.loads(self._written[name])  # noqa: S301 - see _restore
        else:
            backend.reset()

    def _restore(self, damage: Damage) -> None:
        from moto.backends import get_backend

        for name, data, moto in self._snapshots.all():
            try:
                service, account, region = name.split("/")
                state = dict(pickle.loads(data))  # noqa: S301 - written by this process, in the user's own folder
                backend = get_backend(service)[account][region]  # type: ignore[call-overload]
            except Exception as error:
                reason = f"it cannot be read ({error})"
                if moto != self._snapshots.moto:
                    reason += f": moto {moto or 'of an unknown version'} wrote it, and this is {self._snapshots.moto}"
                damage.put_aside("snapshots", {"name": name}, f"the state of the service {name}", reason)
                continue
            for attribute, value in state.items():
                fresh = getattr(backend, attribute, None)
                if isinstance(value, defaultdict) and isinstance(fresh, defaultdict):
                    value.default_factory = fresh.default_factory
            backend.__dict__.update(state)
            self._written[name] = data


class _Pickler(pickle.Pickler):
    """Pickles what pickle refuses: locks as new ones, private keys as their bytes, local functions as nothing.

    The last are default factories, which a new backend has (see _restore).
    """

    def reducer_override(self, value: Any) -> Any:
        if type_of_lock := LOCKS.get(type(value)):
            return type_of_lock, ()
        if isinstance(value, FunctionType) and "<locals>" in value.__qualname__:
            return type(None), ()
        if isinstance(value, defaultdict) and type(value) is not defaultdict:  # whose __init__ takes what it likes
            return copyreg.__newobj__, (type(value),), value.__dict__, None, iter(dict.items(value))  # type: ignore[attr-defined]
        if hasattr(value, "private_bytes") and not isinstance(value, type):
            return _private_key, (_key_bytes(value),)
        return NotImplemented


def _key_bytes(key: Any) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return bytes(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))


def _private_key(data: bytes) -> Any:
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    return load_der_private_key(data, None)


def _changes(request: HttpRequest) -> bool:
    return request.method not in ("GET", "HEAD") and not request.action.startswith(READS)


def _looks_at_memory(request: HttpRequest) -> bool:
    """Whether a request that reads S3 asks for what is not a row: the buckets, or uploads in progress."""
    return request.path == "/" or bool(set(request.parameters) & {"uploads", "uploadId"})


def _backends(service: str) -> list[tuple[str, Any]]:
    from moto.core.base_backend import BackendDict

    return [
        (f"{service}/{account}/{region}", backend)
        for backends in list(BackendDict._instances)  # type: ignore[misc]  # noqa: SLF001
        if backends.service_name == service and service in SERVICES
        for account, region, backend in list(backends.iter_backends())
    ]


def _pickled(backend: Any) -> bytes:
    while True:
        try:
            stream = io.BytesIO()
            _Pickler(stream).dump(backend.__dict__)
            return stream.getvalue()
        except RuntimeError as error:
            if "changed size during iteration" not in str(error):
                raise  # another request was adding to a dictionary: its next state is as good
