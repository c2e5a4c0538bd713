"""Personal columns are dropped from a request before it is sent: what is captured of it must not hold them."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from deployment.predict import Payload


def without_personal(payload: Payload, personal: Sequence[str]) -> tuple[Payload, list[str]]:
    """The payload without its personal columns, and their names; as it is where it has none, or cannot be read.

    Names are compared as the endpoint compares them: without upper and lower case, and blanks around them.
    """
    try:
        text = payload.body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return payload, []
    kind = payload.content_type.partition(";")[0].strip().lower()
    wanted = {name.strip().casefold(): name for name in personal}
    if not wanted:
        return payload, []
    try:
        body, found = _json(text, wanted) if kind == "application/json" else _csv(text, wanted)
    except (ValueError, RecursionError, csv.Error):
        return payload, []  # the model says what is wrong with it
    dropped = [name for name in personal if name in found]
    return (replace(payload, body=body.encode()), dropped) if dropped else (payload, [])


def _json(text: str, wanted: dict[str, str]) -> tuple[str, set[str]]:
    found: set[str] = set()

    def kept(value: Any) -> Any:
        if isinstance(value, list):
            return [kept(each) for each in value]
        if not isinstance(value, dict):
            return value
        found.update(wanted[name.strip().casefold()] for name in value if name.strip().casefold() in wanted)
        return {name: kept(each) for name, each in value.items() if name.strip().casefold() not in wanted}

    document = kept(json.loads(text))
    return json.dumps(document), found


def _csv(text: str, wanted: dict[str, str]) -> tuple[str, set[str]]:
    rows = list(csv.reader(io.StringIO(text), skipinitialspace=True, strict=True))
    header = [name.strip().casefold() for name in rows[0]] if rows else []
    kept = [place for place, name in enumerate(header) if name not in wanted]
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(
        [row[place] for place in kept if place < len(row)] + row[len(header) :] for row in rows if row
    )
    return stream.getvalue(), {wanted[name] for name in header if name in wanted}
