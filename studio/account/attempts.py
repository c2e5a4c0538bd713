"""Reading that may fail: a page shows what it got, and says of the rest why it is not there."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from studio.account.calls import together
from studio.errors import StudioError

S = TypeVar("S")
T = TypeVar("T")
MOST_MESSAGE = 300
MISSING = ("ResourceNotFound", "NoSuchKey", "NoSuchBucket", "404", "NotFound", "ResourceNotFoundException")


@dataclass(frozen=True)
class Answer(Generic[T]):
    """What was read, or the sentence that says why it was not."""

    value: T | None
    problem: str | None = None
    error: Exception | None = None

    @property
    def ok(self) -> bool:
        """Whether there is a value."""
        return self.problem is None

    def required(self) -> T:
        """The value; the service's own error where there is none."""
        if self.error is not None:
            raise self.error
        assert self.value is not None  # noqa: S101 - what was read without an error is there
        return self.value


def attempt(read: Callable[[], T]) -> Answer[T]:
    """Read; a refusal or an outage of the service becomes a problem, a fault of this program does not."""
    try:
        return Answer(read())
    except (ClientError, BotoCoreError, StudioError) as error:
        return Answer(None, sentence(error), error)


def attempts(reads: Iterable[Callable[[], Any]]) -> list[Answer[Any]]:
    """The same for several at once."""
    return together([partial(attempt, read) for read in reads])


def attempts_for(items: Iterable[S], read: Callable[[S], Any]) -> list[Answer[Any]]:
    """The same read for each of several items."""
    return attempts([partial(read, item) for item in items])


def is_missing(error: ClientError) -> bool:
    """Whether the service says that there is no such thing."""
    said = error.response.get("Error", {})
    text = str(said.get("Message", "")).lower()
    absent = any(words in text for words in ("does not exist", "could not find", "not found"))
    return said.get("Code") in MISSING or (said.get("Code") == "ValidationException" and absent)


def sentence(error: Exception) -> str:
    """One line for a person: which operation, what the service said."""
    if isinstance(error, ClientError):
        said = error.response.get("Error", {})
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        text = " ".join(str(said.get("Message") or "").split())
        if status >= 500 and (not text or "<" in text):  # a page of HTML is not for people
            return f"{error.operation_name} is not answered here (status {status})."
        return f"{error.operation_name}: {text[:MOST_MESSAGE] or said.get('Code')}"
    return " ".join(str(error).split())[:MOST_MESSAGE]
