"""What a type of job must say for the runtime to run it: the part of the container contract that differs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Protocol

from local_sagemaker.handlers.handlers import HandlerCall, Handlers
from local_sagemaker.processes.host import Host
from local_sagemaker.processes.image_versions import warn_once
from local_sagemaker.processes.images import ImageMap, Runtime, UnknownImage
from local_sagemaker.processes.outcome import ClientFault, Outcome, StopReason
from local_sagemaker.processes.process import Command, Ended
from local_sagemaker.processes.storage import ObjectStore
from local_sagemaker.wire.identity import SERVICE_SESSION, role_key

RunCommand = Callable[[Host, Command], Ended]


@dataclass(frozen=True)
class Machine:
    """What every job has at hand: objects, images, variables that each process gets in addition, a user's handlers."""

    store: ObjectStore
    images: ImageMap
    environment: Mapping[str, str]
    handlers: Handlers = field(default_factory=Handlers)

    def variables(self, role: str | None) -> dict[str, str]:
        """What each process of a job gets: what it asks of AWS, it asks as the job's role, where the job has one."""
        return {**self.environment, **({"AWS_ACCESS_KEY_ID": role_key(role, SERVICE_SESSION)} if role else {})}

    def call(self, key: str, log: Path, role: str | None) -> HandlerCall:
        """Start a call of the handler of a key, as the role of a job."""
        return self.handlers.call(key, log, self.variables(role))

    def runtime(self, image: str, host: Host) -> Runtime:
        """The local runtime of an image; ClientFault where there is none. The host's log names what differs."""
        try:
            runtime = self.images.resolve(image)
        except UnknownImage as error:
            raise ClientFault(str(error)) from None
        warn_once(self.images, image, runtime, host.say)
        return runtime


class Job(Protocol):
    """One job: the runtime prepares each host, runs what that returns, uploads, and asks for the outcome."""

    name: str
    instance_count: int
    limit_seconds: float | None

    def prepare(self, host: Host, stop: Event, run: RunCommand) -> Command:
        """Fill the host's /opt/ml and say what to run there; `run` runs preparations as the job itself runs."""

    def synchronise(self, hosts: Sequence[Host]) -> None:
        """Store what is to be in S3 while the job runs; called every second or so."""

    def upload(self, hosts: Sequence[Host]) -> None:
        """Store the outputs."""

    def outcome(self, hosts: Sequence[Host], ended: Ended, stopped: StopReason | None) -> Outcome:
        """The end of the job in the service's words; `ended` is the process that decided it."""
