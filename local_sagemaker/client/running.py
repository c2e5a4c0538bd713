"""Finding the local SageMaker that answers on a port, and asking it how it stands.

Imports only the standard library: every command line tool calls it before anything else.
"""

import fcntl
import json
import time
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from local_sagemaker.configuration import LOCK
from local_sagemaker.errors import LocalSageMakerError

DYING_SECONDS = 2.0
HEALTH_SECONDS = 5.0
HANGING_SECONDS = 20.0  # a server that is busy answers later, one that hangs never
HEALTH = "/_local_sagemaker/health"


@dataclass(frozen=True)
class Server:
    """A local SageMaker that answers."""

    port: int
    pid: int
    state: Path
    started: float
    handlers: Path | None = None
    lost: bool = False  # whether its state folder was removed
    damaged: int = 0  # pieces of its state that were put aside
    full: bool = False  # whether its disk has no room
    enforces: bool = False  # whether IAM's policies are enforced
    time_scale: float = 1.0  # how many times faster waits and alarm periods pass

    @property
    def url(self) -> str:
        """What AWS_ENDPOINT_URL is to be."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def warning(self) -> str | None:
        """What its user should know about its state, or None."""
        if self.full:
            return f"The disk of {self.state} is full: jobs wait or are retried. Make room."
        if not self.damaged:
            return None
        pieces = "1 piece of the state is" if self.damaged == 1 else f"{self.damaged} pieces of the state are"
        return f"{pieces} damaged and put aside; the rest works. `local doctor` lists them and says what to do."

    def has_lost(self, state: Path) -> bool:
        """Whether it is the server of this folder, and the folder was removed under it."""
        return self.lost and self.state == state


def find(port: int, state: Path | None = None) -> Server | None:
    """The local SageMaker on a port, or None where nothing listens; an error where something else does.

    `state` is the folder whose lock tells a server that hangs from another program.
    """
    start = time.monotonic()
    while True:
        try:
            return health(port)
        except ConnectionRefusedError:
            return None
        except (HTTPException, OSError):
            # Not ours, or one of ours that is just being killed, is busy, or hangs.
            pid = _holder(state, port) if state else None
            if time.monotonic() - start > (DYING_SECONDS if pid is None else HANGING_SECONDS):
                raise (foreign(port) if pid is None else _hanging(port, pid)) from None
            time.sleep(0.05)
        except (ValueError, KeyError, TypeError):
            raise foreign(port) from None


def what_keeps_it(server: Server) -> str | None:
    """Why a server that runs cannot go on with what it does now, or None; None, too, where it does not answer."""
    try:
        now = health(server.port)
    except (HTTPException, OSError, ValueError, KeyError, TypeError):
        return None
    return now.warning if now.full else None


def health(port: int) -> Server:
    """What the server on a port says of itself.

    OSError, HTTPException or, of another program, ValueError, KeyError or TypeError where it does not.
    """
    connection = HTTPConnection("127.0.0.1", port, timeout=HEALTH_SECONDS)
    try:
        connection.request("GET", HEALTH)
        response = connection.getresponse()
        if response.status == HTTPStatus.SERVICE_UNAVAILABLE:
            raise HTTPException("it has reached its limit of connections")
        said = json.loads(response.read())
        handlers = Path(said["handlers"]) if said.get("handlers") else None
        lost, full = bool(said.get("lost")), bool(said.get("full"))
        time_scale = float(said.get("time_scale", 1))
        return Server(
            port,
            said["pid"],
            Path(said["state"]),
            said["started"],
            handlers,
            lost,
            said.get("damaged", 0),
            full,
            bool(said.get("enforces")),
            time_scale,
        )
    finally:
        connection.close()


def _holder(state: Path, port: int) -> int | None:
    """The process that holds the lock of a state folder and serves it on this port."""
    try:
        with (state / LOCK).open("r+b") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # given back when the file is closed
        return None
    except BlockingIOError:
        holder = json.loads((state / LOCK).read_text() or "{}")
        return int(holder["pid"]) if holder.get("port") == port else None
    except OSError:
        return None


def foreign(port: int) -> LocalSageMakerError:
    """The error of a port that is another program's."""
    return LocalSageMakerError(
        f"Port {port} is in use by another program: stop that program, or set SAGEMAKER_LOCAL_PORT to a free port."
    )


def _hanging(port: int, pid: int) -> LocalSageMakerError:
    return LocalSageMakerError(
        f"Local SageMaker (process {pid}) on port {port} does not answer: "
        f"end it with `kill -9 {pid}` and start it again; its state survives that."
    )
