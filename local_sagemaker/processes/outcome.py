"""How a job ended, in the words that the service uses for it."""

from dataclasses import dataclass
from typing import Literal

from local_sagemaker.errors import LONGEST_REASON

StopReason = Literal["asked", "time"]  # by the user, or by StoppingCondition.MaxRuntimeInSeconds
Status = Literal["Completed", "Failed", "Stopped"]


class ClientFault(Exception):
    """The request cannot be met (no such object, unknown image, unsafe archive); a sentence for the requester."""


class JobStopped(Exception):
    """The job was stopped before its process had started."""

    def __init__(self, reason: StopReason) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Metric:
    """One value of a metric; `timestamp` is in seconds since 1970."""

    name: str
    value: float
    timestamp: float


@dataclass(frozen=True)
class Outcome:
    """The end of a job.

    secondary_status is a training job's last one, where it differs from status (MaxRuntimeExceeded);
    metrics are the last values of those that it defines.
    """

    status: Status
    failure_reason: str | None = None
    exit_message: str | None = None
    exit_code: int | None = None
    artifacts: str | None = None
    secondary_status: str | None = None
    metrics: tuple[Metric, ...] = ()


def client_error(message: str) -> str:
    """The failure reason of a job whose request could not be met."""
    return f"ClientError: {message}"[:LONGEST_REASON]


def algorithm_error(text: str | None, exit_code: int) -> str:
    """The failure reason of a job whose process failed; text is what the process said of it, if anything."""
    prefix, suffix = "AlgorithmError: ", f", exit code: {exit_code}"
    said = (text or "").strip() or "See job logs for more information"
    return prefix + said[: LONGEST_REASON - len(prefix) - len(suffix)] + suffix
