"""The hosts of a job as processes of this machine, for the tests of each step that runs on several."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import SystemRandom

from steps.artifacts import write_json

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 240  # on a machine that does much else


def addresses(count: int) -> list[str]:
    """Of so many hosts, which no other job has."""
    random = SystemRandom()
    network = f"127.{random.randint(1, 250)}.{random.randint(1, 250)}"
    return [f"{network}.{number + 1}" for number in range(count)]


@dataclass
class Job:
    """The processes of a job's hosts, by the hosts' addresses, and the folder that has one for each of them."""

    folder: Path
    names: list[str]
    processes: dict[str, subprocess.Popen[str]] = field(default_factory=dict)

    def begin(self, name: str, words: Sequence[str], **environment: str) -> None:
        """Start a host: Python with these words, and with what says which hosts there are at their end."""
        own = self.folder / name
        own.mkdir(parents=True, exist_ok=True)
        write_json(own / "resources.json", {"current_host": name, "hosts": self.names})
        self.processes[name] = subprocess.Popen(
            [sys.executable, *words, "--resources", str(own / "resources.json")],
            env={**os.environ, "SM_OUTPUT_DIR": str(own / "output"), **environment},
            cwd=ROOT,
            text=True,
            stdout=(own / "log").open("w"),
            stderr=subprocess.STDOUT,
        )

    def ended(self) -> list[int]:
        """The exit codes."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        return [process.wait(max(0.1, deadline - time.monotonic())) for process in self.processes.values()]

    def reasons(self) -> list[str]:
        """What each host says of its failure."""
        return [(self.folder / name / "output" / "failure").read_text() for name in self.processes]

    def log(self, name: str) -> str:
        return (self.folder / name / "log").read_text()
