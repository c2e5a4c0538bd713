"""One serving process: a container definition, with its model unpacked in a private /opt/ml, behind HTTP."""

import logging
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local_sagemaker.hosting.model_connections import BadAnswer, ModelConnections, NotReached
from local_sagemaker.hosting.model_files import MODEL, prepare_model
from local_sagemaker.processes.environment import IMAGE, clean_environment
from local_sagemaker.processes.folders import remove_folder
from local_sagemaker.processes.host import Host
from local_sagemaker.processes.image_families import ImageFamily
from local_sagemaker.processes.image_versions import warn_once
from local_sagemaker.processes.images import ImageMap, UnknownImage
from local_sagemaker.processes.isolation import Isolation, PrivateFolder, isolation_here
from local_sagemaker.processes.log_events import append_line
from local_sagemaker.processes.outcome import ClientFault
from local_sagemaker.processes.overlay import make_overlay
from local_sagemaker.processes.process import Command, Ended, SupervisedProcess, SupervisionFailed
from local_sagemaker.processes.storage import ObjectStore

LOG = logging.getLogger("local_sagemaker.hosting")
SERVER = Path(__file__).parents[1] / "toolkits" / "model_server.py"
ADDRESS_IN_USE = 98  # of model_server.py
PORT_ATTEMPTS = 5
PING_SECONDS = 0.01  # between two pings of a process that starts
PING_TIMEOUT_SECONDS = 2.0  # the service's own limit
INVOCATION_TIMEOUT_SECONDS = 60.0  # the service's own limit
STOP_GRACE_SECONDS = 1.0  # a model process has nothing to save
LOG_CHARACTERS = 600  # of a process that failed to start; FailureReason has at most 1024
DEATH_SECONDS = 1.0  # for which the end of a process that has dropped its connections is awaited
BAD_ANSWER = 502  # what a proxy in front of the container says
NO_ANSWER = 0  # the status that the service reports where it has none from the container


class ModelFailedToStart(Exception):
    """The process did not come to answer /ping; the message has the reason and the last lines of its log."""


class ModelUnavailable(Exception):
    """The process has died, or was never started.

    `reached` says whether the request may have reached it; where it did not, it is safe to ask again.
    """

    def __init__(self, message: str, reached: bool = False) -> None:
        super().__init__(message)
        self.reached = reached


@dataclass(frozen=True)
class ModelRequest:
    """What a model is asked; one that is not to answer within 60 seconds says within how many it is."""

    body: bytes
    content_type: str
    accept: str
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout_seconds: float | None = None
    target_model: str | None = None


@dataclass(frozen=True)
class ModelResponse:
    """What the model answered: any status, also an error's."""

    status: int
    content_type: str
    body: bytes
    headers: dict[str, str]

    @property
    def succeeded(self) -> bool:
        """Whether this is an answer; the status of a model that did not answer in time is NO_ANSWER."""
        return 200 <= self.status < 400


class ModelProcess:
    """A serving process for a container definition {Image, ModelDataUrl | ModelDataSource, Environment}.

    Its files are in `folder`/`name`: `output.log`, and while it runs its private /opt/ml. The methods
    may be called by several threads at once.
    """

    def __init__(
        self,
        name: str,
        container: Mapping[str, Any],
        folder: Path,
        store: ObjectStore,
        images: ImageMap,
        environment: Mapping[str, str],
        isolation: Isolation | None = None,
        host: str = "algo-1",
    ) -> None:
        self.name = name
        self._host_name = host
        self.log = folder / name / "output.log"
        self._container = container
        self._folder = folder / name
        self._store = store
        self._images = images
        self._environment = environment
        self._isolation = isolation or isolation_here()
        self._prepared: dict[str, str] = {}
        self._arguments: list[str] = []
        self._lifecycle = threading.Lock()
        self._closed = False
        self._process: SupervisedProcess | None = None
        self._host: Host | None = None
        self._pool: ModelConnections | None = None

    def start(self, timeout_seconds: float = 240) -> None:
        """Unpack the model, start the process, and return when it answers /ping.

        ModelFailedToStart otherwise; then nothing is left running. A process that has died is started
        again, with the files of its first start.
        """
        deadline = time.monotonic() + timeout_seconds
        with self._lifecycle:
            if self.alive():
                return
            if self._closed:
                raise ModelFailedToStart(f"The model {self.name} was stopped for good.")
            self._folder.mkdir(parents=True, exist_ok=True)
            self.log.touch()
            try:
                host, command = self._prepare(deadline)
                self._start_on_free_port(host, command, deadline)
            except (ClientFault, UnknownImage, SupervisionFailed) as fault:
                self._clean()
                raise ModelFailedToStart(str(fault)) from None
            except BaseException:
                self._clean()
                raise

    def invoke(
        self,
        body: bytes,
        content_type: str,
        accept: str,
        headers: Mapping[str, str],
        timeout_seconds: float | None = None,
    ) -> ModelResponse:
        """POST /invocations; ModelUnavailable where the process has died or dies meanwhile.

        A model that has not answered after 60 seconds, or `timeout_seconds`, has the status NO_ANSWER.
        """
        pool = self._pool
        if pool is None or not self.alive():
            raise ModelUnavailable(f"The process of the model {self.name} is not running: see {self.log}.")
        sent = {**headers, "Content-Type": content_type, "Accept": accept}
        try:
            status, answered, content = pool.request(
                "POST", "/invocations", sent, body, timeout_seconds or INVOCATION_TIMEOUT_SECONDS
            )
        except TimeoutError:
            seconds = f"{timeout_seconds or INVOCATION_TIMEOUT_SECONDS:g} seconds"
            text = f"Your invocation timed out while waiting for a response from container {self.name} ({seconds})."
            return ModelResponse(NO_ANSWER, "text/plain", text.encode(), {})
        except BadAnswer as error:
            return self._bad_answer(str(error))
        except (NotReached, OSError) as error:
            self._await_death()
            if self.alive() and not isinstance(error, NotReached):
                return self._bad_answer(str(error))
            raise ModelUnavailable(
                f"The process of the model {self.name} died during the invocation ({error}): see {self.log}.",
                reached=not isinstance(error, NotReached),
            ) from None
        return ModelResponse(status, answered.get("content-type", "application/octet-stream"), content, answered)

    def require_server(self) -> None:
        """ModelFailedToStart where the container's image is unknown here, or serves with what is not here."""
        image = str(self._container.get("Image", ""))
        try:
            _of_family(self._images.resolve(image).family, image)
        except UnknownImage as fault:
            raise ModelFailedToStart(str(fault)) from None

    @property
    def pid(self) -> int | None:
        """The process that all of the model's are below; None where it never ran."""
        process = self._process
        return process.pid if process is not None else None

    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.alive()

    @property
    def end(self) -> str:
        """How the process ended, for people."""
        try:
            ended = self._process.wait(0) if self._process is not None else None
        except SupervisionFailed as error:
            return str(error)
        if ended is None:
            return "it never ran"
        signal_number = ended.exit_code - 128
        return f"signal {signal_number}" if signal_number > 0 else f"exit code {ended.exit_code}"

    def say(self, line: str) -> None:
        """Add a line to the log."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        append_line(self.log, line)

    def _bad_answer(self, why: str) -> ModelResponse:
        text = f"The container {self.name} did not answer with valid HTTP: {why}."
        return ModelResponse(BAD_ANSWER, "text/plain", text.encode(), {})

    def _await_death(self) -> None:
        """A lost connection is known a little earlier than the end of the process that caused it."""
        process = self._process
        if process is not None:
            try:
                process.wait(DEATH_SECONDS)
            except SupervisionFailed as error:
                LOG.warning("%s", error)

    def stop(self) -> None:
        """End the process for good and delete its files; its log stays."""
        self._closed = True  # ends a start that is under way, too
        with self._lifecycle:
            self._clean()

    def _clean(self) -> None:
        if self._pool is not None:
            self._pool.close()
        if self._process is not None:
            self._process.end()
        if self._host is not None:
            self._host.private.close()
            remove_folder(self._host.private.root, self._folder, ignore_errors=True)
        self._pool = self._process = self._host = None

    def _prepare(self, deadline: float) -> tuple[Host, Command]:
        """The command that serves; the first time, the files that it needs."""
        image = str(self._container.get("Image", ""))
        runtime = self._images.resolve(image)
        if self._host is not None:
            return self._host, Command(self._arguments, self._prepared, MODEL)
        private = PrivateFolder(self._folder / self._host_name, self._isolation)
        host = self._host = Host("algo-1", ("algo-1",), private, self.log)
        own = {str(name): str(value) for name, value in self._container.get("Environment", {}).items()}
        if not host.private.mounted:
            own.setdefault("SAGEMAKER_BASE_DIR", "/opt/ml")  # rewritten to where it is, for the model server
        warn_once(self._images, image, runtime, host.say)
        overlay = make_overlay(host.overlay, runtime)
        self._arguments = [*overlay.python, str(SERVER), *_of_family(runtime.family, image)]
        environment = clean_environment(host.private, overlay, 1, [self._environment, {IMAGE: image}, own])

        def run(command: list[str], variables: Mapping[str, str]) -> int:
            return self._run(host, Command(command, variables), deadline)

        variables = prepare_model(host, self._container, environment, self._store, overlay, run)
        self._prepared = environment | variables
        return host, Command(self._arguments, self._prepared, MODEL)

    def _run(self, host: Host, command: Command, deadline: float) -> int:
        """Run a preparation to its end, or to the deadline; its exit code."""
        process = SupervisedProcess(command, host.private, host.log, host.record, STOP_GRACE_SECONDS)
        try:
            ended = process.wait(max(0.0, deadline - time.monotonic()))
        finally:
            process.end()
        return ended.exit_code if ended is not None else 1

    def _start_on_free_port(self, host: Host, command: Command, deadline: float) -> None:
        for _ in range(PORT_ATTEMPTS):
            port = _free_port()
            arguments = [*command.arguments, "--port", str(port)]
            serve = Command(arguments, command.environment, command.directory)
            self._process = SupervisedProcess(serve, host.private, host.log, host.record, STOP_GRACE_SECONDS)
            self._pool = ModelConnections(port)
            ended = self._wait_for_ping(self._process, self._pool, deadline)
            if ended is None:
                return
            if ended.exit_code != ADDRESS_IN_USE:  # else another process took the port meanwhile
                raise ModelFailedToStart(self._why(f"its process ended with exit code {ended.exit_code}"))
        raise ModelFailedToStart(self._why("no free port was found"))

    def _wait_for_ping(self, process: SupervisedProcess, pool: ModelConnections, deadline: float) -> Ended | None:
        while not self._closed:
            ended = process.wait(PING_SECONDS)
            if ended is not None:
                return ended
            try:
                status, _, _ = pool.request("GET", "/ping", {}, b"", PING_TIMEOUT_SECONDS)
                if status == 200:
                    return None
            except (BadAnswer, NotReached, OSError) as error:
                LOG.debug("the model %s does not answer yet: %s", self.name, error)
            if time.monotonic() >= deadline:
                raise ModelFailedToStart(self._why("it did not pass the ping health check in time"))
        raise ModelFailedToStart(f"The model {self.name} was stopped while it started.")

    def _why(self, reason: str) -> str:
        end = self.log.read_text("utf-8", "replace").strip()[-LOG_CHARACTERS:] or "it is empty."
        # The first sentence is the service's own.
        return (
            f"The primary container for production variant {self.name} did not pass the ping health check: "
            f"{reason}. The end of its log ({self.log}):\n{end}"
        )


def _of_family(family: ImageFamily, image: str) -> list[str]:
    """What the model server must know of the image."""
    if family.serving is None:
        raise UnknownImage(
            f"The image {image} serves with {family.name} Serving, which is not on this machine: serve the model with "
            "another framework image."
        )
    handlers = ["--default-handlers", family.default_handlers] if family.default_handlers else []
    return ["--toolkit", family.serving, *handlers, *(["--algorithm"] if family.algorithm else [])]


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
