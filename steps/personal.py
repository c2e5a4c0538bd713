"""Personal columns: what a request must not hold where requests are captured.

The deployment names them in the environment of a container whose endpoint captures data, as a list in JSON.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

VARIABLE = "PERSONAL_COLUMNS"


def named() -> tuple[str, ...]:
    """The personal columns of this container; none where nothing is captured."""
    return tuple(json.loads(os.environ.get(VARIABLE) or "[]"))


def personal_columns(body: bytes | str, personal: Sequence[str]) -> list[str]:
    """Which of the personal columns a request has as fields, in JSON at any depth or in the first line of CSV.

    Upper and lower case, and blanks around a name, make no difference: a field that is nearly called so is one.
    """
    text = body if isinstance(body, str) else bytes(body).decode("utf-8-sig", "replace")
    found = {_plain(name) for name in _names(text)}
    return [name for name in personal if _plain(name) in found]


def _names(text: str) -> Iterable[str]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return next(csv.reader(io.StringIO(text)), [])
    return _keys(document)


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _keys(each)


def _plain(name: str) -> str:
    return name.strip().casefold()
