"""Waiting for a job of SageMaker to end."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from deployment.endpoint import Announce, Waiting

FINAL = ("Completed", "Failed", "Stopped")


def job_end(
    describe: Callable[[], Mapping[str, Any]], status_key: str, waiting: Waiting, announce: Announce
) -> Mapping[str, Any]:
    """What the service says of a job once it has ended; each status on the way is announced with the seconds so far."""
    began, seen = time.monotonic(), None
    while True:
        description = describe()
        status = description[status_key]
        if status != seen:
            announce(f"{time.monotonic() - began:7.1f} s  {status}")
            seen = status
        if status in FINAL:
            return description
        time.sleep(waiting.poll_seconds)


def reason_of(description: Mapping[str, Any]) -> str:
    """Why a job has failed, without the full stop: what it said itself before what the service says of it."""
    said = description.get("ExitMessage") or description.get("FailureReason") or "SageMaker gave no reason"
    return str(said).strip().rstrip(".")
