"""The API calls that a page made, as code that makes them again."""

import json
import re
import shlex
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from botocore import xform_name

CLI_NAMES = {"s3": "s3api"}  # what the AWS CLI calls a service of boto3
MOST_TEXT = 2_000  # characters of one value that are shown
_RECORD: ContextVar["Record | None"] = ContextVar("record", default=None)
_POOL = ThreadPoolExecutor(max_workers=16, thread_name_prefix="studio-call")


@dataclass(frozen=True)
class Call:
    """One request: boto3's name of the service, the API's name of the operation, the parameters."""

    service: str
    operation: str
    parameters: Mapping[str, Any]

    @property
    def boto3(self) -> str:
        """Python that makes the same request."""
        arguments = ", ".join(f"{name}={_shown(value)!r}" for name, value in self.parameters.items())
        return f'boto3.client("{self.service}").{xform_name(self.operation)}({arguments})'

    @property
    def cli(self) -> str:
        """The command of the AWS CLI that makes the same request."""
        words = ["aws", CLI_NAMES.get(self.service, self.service), xform_name(self.operation, "-")]
        for name, value in self.parameters.items():
            words += _option(name, value)
        if (self.service, self.operation) in (("s3", "GetObject"), ("sagemaker-runtime", "InvokeEndpoint")):
            words.append("/dev/stdout")
        return shlex.join(words)


@dataclass
class Record:
    """The calls of one page in the order in which they were made."""

    calls: list[Call] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, call: Call) -> None:
        """Keep a call."""
        with self._lock:
            self.calls.append(call)

    def kinds(self) -> list[tuple[Call, int]]:
        """One call of each operation, with how many there were like it."""
        found: dict[tuple[str, str], list[Call]] = {}
        for call in self.calls:
            found.setdefault((call.service, call.operation), []).append(call)
        return [(calls[0], len(calls)) for calls in found.values()]


@contextmanager
def recording() -> Iterator[Record]:
    """Keep the calls that this block makes, in whatever threads it makes them."""
    record = Record()
    token = _RECORD.set(record)
    try:
        yield record
    finally:
        _RECORD.reset(token)


def note(service: str, operation: str, parameters: Mapping[str, Any]) -> None:
    """Add a call to the record of the page that makes it."""
    record = _RECORD.get()
    if record is not None:
        record.add(Call(service, operation, dict(parameters)))


def together(tasks: Iterable[Callable[[], Any]]) -> list[Any]:
    """Run tasks side by side and give their results in order; their calls belong to the page that asked."""
    futures = [_POOL.submit(copy_context().run, task) for task in tasks]
    return [future.result() for future in futures]


def _option(name: str, value: Any) -> list[str]:
    # The CLI's options are the parameters' names in lower case with dashes; S3 and EC2 follow the same rule.
    option = "--" + xform_name(name, "-")
    if isinstance(value, bool):
        return [option if value else re.sub("^--", "--no-", option)]
    shown = _shown(value)
    return [option, shown if isinstance(shown, str) else json.dumps(shown)]


def _shown(value: Any) -> Any:
    """A value as text that can be pasted."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray)):
        value = bytes(value).decode("utf-8", "replace")
    if isinstance(value, str):
        return value if len(value) <= MOST_TEXT else value[:MOST_TEXT] + "..."
    if isinstance(value, Mapping):
        return {key: _shown(item) for key, item in value.items()}
    return [_shown(item) for item in value] if isinstance(value, (list, tuple)) else value
