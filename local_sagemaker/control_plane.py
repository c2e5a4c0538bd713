"""moto as the control plane of S3, IAM, STS, EventBridge and the like, made to survive a restart."""

import io
import os
import pickle
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from local_sagemaker.errors import LocalSageMakerError
from local_sagemaker.records import Records

SERVICES = ("s3", "iam", "sts", "events", "sqs", "sns", "kms", "logs", "ssm", "secretsmanager", "cloudwatch")
LOCKS = {type(make()): make for make in (threading.Lock, threading.RLock)}
READS = ("Describe", "Get", "List")


class ControlPlane:
    """moto's WSGI application whose state is saved before each changing request is answered.

    A service's state is one pickle that this process wrote itself; S3 objects' bytes are files (objects.py).
    """

    def __init__(self, records: Records, blobs: Path, account: str) -> None:
        os.environ["MOTO_ACCOUNT_ID"] = account  # moto reads it once, when first imported
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

        from local_sagemaker import objects

        objects.install(blobs)
        self.account = account
        self._records = records
        self._application = DomainDispatcherApplication(create_backend_app)
        self._locks: dict[str, threading.Lock] = defaultdict(threading.Lock)
        self._written: dict[str, bytes] = {}
        self._restore()
        objects.sweep(blobs)
        self.objects = objects.S3Objects(account, saved=lambda: self.save("s3"))

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request; what it changed is on disk before the answer leaves."""
        started: list[Any] = []
        response = self._application(environ, lambda *arguments: started.extend(arguments))
        if _changes(environ):
            self.save(signed_service(environ))
        start_response(*started)
        return response

    def save(self, service: str) -> None:
        """Write the state of one service, where it differs from what is on disk."""
        with self._locks[service]:
            for name, backend in _backends(service):
                data = _pickled(backend)
                if self._written.get(name) != data:
                    self._records.save_snapshot(name, data)
                    self._written[name] = data

    def put_event(self, region: str, event: dict[str, Any]) -> None:
        """Send an event to EventBridge's rules, as the service itself would."""
        from moto.events.models import events_backends

        events_backends[self.account][region].put_events([event])
        self.save("sqs")

    def _restore(self) -> None:
        from moto.backends import get_backend
        from moto.s3.models import s3_backends

        for name, data in self._records.snapshots().items():
            service, account, region = name.split("/")
            try:
                state = pickle.loads(data)  # noqa: S301 - written by this process, in the user's own folder
            except (AttributeError, ImportError, pickle.UnpicklingError) as error:
                raise LocalSageMakerError(
                    f"The {service} state was written by another version of moto ({error}): "
                    "install the versions of requirements.lock, or move the state folder away."
                ) from error
            backend = get_backend(service)[account][region]  # type: ignore[call-overload]
            backend.__dict__.update(state)
            self._written[name] = data
            if service == "s3":
                s3_backends.bucket_accounts.update({bucket: (region, account) for bucket in backend.buckets})


class _Pickler(pickle.Pickler):
    """Pickles a backend's locks as new ones."""

    def reducer_override(self, value: Any) -> Any:
        return (type_of_lock, ()) if (type_of_lock := LOCKS.get(type(value))) else NotImplemented


def signed_service(environ: dict[str, Any]) -> str:
    """The service in the signature of a request (its name in the credential scope); S3 where there is none."""
    return _scope(environ)[1] or "s3"


def signed_region(environ: dict[str, Any], default: str) -> str:
    """The region in the signature of a request."""
    return _scope(environ)[0] or default


def _scope(environ: dict[str, Any]) -> tuple[str, str]:
    authorization = environ.get("HTTP_AUTHORIZATION", "")
    parts = authorization.partition("Credential=")[2].partition(",")[0].split("/")
    return (parts[2], parts[3]) if len(parts) >= 5 else ("", "")


def _changes(environ: dict[str, Any]) -> bool:
    action = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
    return environ["REQUEST_METHOD"] not in ("GET", "HEAD") and not action.startswith(READS)


def _backends(service: str) -> list[tuple[str, Any]]:
    from moto.core.base_backend import BackendDict

    return [
        (f"{service}/{account}/{region}", backend)
        for backends in list(BackendDict._instances)  # type: ignore[misc]
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
