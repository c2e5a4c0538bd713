"""The errors of local SageMaker: what an AWS client is told, and what a person at the command line is told."""

import errno
import sqlite3


class LocalSageMakerError(Exception):
    """A fault that a person can fix; its text is one sentence that says what, where and how."""


NO_SPACE = (errno.ENOSPC, errno.EDQUOT)


def is_disk_full(error: BaseException) -> bool:
    """Whether something could not be written because there is no room."""
    if isinstance(error, sqlite3.OperationalError):
        return "full" in str(error)
    return isinstance(error, OSError) and error.errno in NO_SPACE


LONGEST_REASON = 1024  # characters of a FailureReason, an ExitMessage, a failure's message
FULL = "The disk of the state folder is full: make room, and run it again."


def reason_of(error: BaseException) -> str:
    """An error that nobody foresaw, as the failure reason of a job or a step says it."""
    return f"{FULL} ({error})" if is_disk_full(error) else f"{type(error).__name__}: {error}"


class ServiceError(Exception):
    """An AWS error response: a code that clients know, a message, an HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


def invalid(message: str) -> ServiceError:
    """The request cannot be met as it stands."""
    return ServiceError("ValidationException", message)


def not_found(message: str) -> ServiceError:
    """The operations that declare a ResourceNotFound error use it; the older ones use `invalid`."""
    return ServiceError("ResourceNotFound", message)


def unsupported(what: str, instead: str | None = None) -> ServiceError:
    """The error for what this machine cannot do: it names the feature, and what to do instead; nothing is faked."""
    return invalid(f"Local SageMaker does not support {what}{f': {instead}' if instead else ''}.")
