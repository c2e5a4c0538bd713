"""One host (instance) of a job: its name, its private folder, its log."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_sagemaker.processes.inputs import Share
from local_sagemaker.processes.isolation import PrivateFolder
from local_sagemaker.processes.leftovers import RECORD
from local_sagemaker.processes.log_events import append_line

OVERLAY = "venv"  # beside home and tmp in a host's private folder
RESOURCE_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")  # the pattern of the service


@dataclass(frozen=True)
class Host:
    """algo-1, algo-2, ...: `names` are all hosts of the job."""

    name: str
    names: tuple[str, ...]
    private: PrivateFolder
    log: Path

    @property
    def share(self) -> Share:
        """This host's part of sharded inputs."""
        return Share(self.names.index(self.name), len(self.names))

    @property
    def overlay(self) -> Path:
        """The folder of the host's own Python environment."""
        return self.private.root / OVERLAY

    @property
    def record(self) -> Path:
        """The file that names the host's process while it runs."""
        return self.private.root / RECORD

    def write_config(self, path: str, document: Any) -> None:
        """Write a JSON file of the contract, as the job must see it."""
        target = self.private.path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(self.private.rewrite(json.dumps(document, indent=2)), "utf-8")

    def folder(self, path: str) -> Path:
        """Make a folder under /opt/ml and return where it really is."""
        folder = self.private.path(path)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def say(self, line: str) -> None:
        """Add a line to the host's log."""
        append_line(self.log, line)


def is_resource_name(name: str) -> bool:
    """Whether the service takes it for the name of a job or an endpoint; then it is safe as a folder's name."""
    return RESOURCE_NAME.fullmatch(name) is not None


def host_addresses(names: Sequence[str], job_number: int) -> dict[str, str]:
    """A loopback address of its own for each host of each job, so that all of them can listen on one port.

    127.A.B.N is host N of the job A.B; the 62,500 jobs before a pair of numbers comes again have ended by then. The
    numbers of two processes should lie apart, for their hosts are on one machine.
    """
    network = f"127.{1 + job_number // 250 % 250}.{1 + job_number % 250}"
    return {name: f"{network}.{name.removeprefix('algo-')}" for name in names}


def host_names(count: int) -> tuple[str, ...]:
    """The names that the service gives to the instances of a job, sorted as text, as the service lists them."""
    return tuple(sorted(f"algo-{number}" for number in range(1, count + 1)))
