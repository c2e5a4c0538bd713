"""Templates, and how times, sizes, statuses and locations read."""

import json
import re
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, Undefined
from markupsafe import Markup, escape

from studio.account.calls import Record
from studio.pages.pipelines import text_of

FOLDER = Path(__file__).parents[1]
GOOD = ("Succeeded", "Completed", "InService", "Approved", "OK", "Scheduled", "True", "ok", "ENABLED")
BAD = ("Failed", "Rejected", "ALARM", "OutOfService", "UpdateRollbackFailed", "CompletedWithFailures", "retrain")
BUSY = ("Executing", "InProgress", "Creating", "Updating", "RollingBack", "Stopping", "Starting", "Deleting",
        "SystemUpdating", "PendingManualApproval", "Pending", "watch")  # fmt: skip
# Marks that turn the direction of what follows, as in a key that reads "report.png" and ends in ".exe".
DIRECTIONS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
MARKS = {"good": "✓", "bad": "✗", "busy": "●", "idle": "○"}


def environment() -> Environment:
    """Jinja2 with everything escaped."""
    made = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        finalize=seen,
        auto_reload=False,  # a process that runs stays with the templates of its own code
        undefined=Undefined,  # an answer of the API lacks what does not apply
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "moment": moment, "duration": duration, "size": size, "number": number, "kind": kind_of_status,
        "mark": mark, "percent": percent, "brief": brief, "uri": uri_link, "pretty": pretty, "query": query,
        "default_text": text_of,
    }  # fmt: skip
    made.tests["tabular"] = tabular
    return made


def tabular(values: Any) -> bool:
    """Whether these are two to 200 objects with the same names, each with nothing nested in it: rows of a table."""
    if not isinstance(values, list) or not 2 <= len(values) <= 200 or not isinstance(values[0], Mapping):
        return False
    return all(
        isinstance(each, Mapping)
        and each.keys() == values[0].keys()
        and not any(isinstance(item, (Mapping, list)) for item in each.values())
        for each in values
    )


def seen(value: Any) -> Any:
    """What a page prints, with marks of direction as U+ and their number; what is escaped already stays as it is."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return DIRECTIONS.sub(lambda found: f"\N{LEFT CEILING}U+{ord(found[0]):04X}\N{RIGHT CEILING}", value)


def moment(when: datetime | None) -> Markup:
    """A point in time, in UTC, with the exact one for machines."""
    if not isinstance(when, datetime):
        return Markup("–")
    utc = when.astimezone(timezone.utc)
    return Markup('<time datetime="{}">{}</time>').format(utc.isoformat(), f"{utc:%Y-%m-%d %H:%M:%S} UTC")


def duration(seconds: float | None) -> str:
    """A length of time in at most two units."""
    if seconds is None:
        return "–"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def size(count: int) -> str:
    """A number of bytes."""
    amount = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} bytes" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def number(value: Any) -> str:
    """A number as people read it; anything else as it is."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, int) or abs(value) >= 1e6:
        return f"{value:,.0f}"
    return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.2f}"


def brief(value: Any) -> str:
    """A value in one line: what is nested stands in brackets, as in `grade (here 7, there 8)`."""
    if isinstance(value, Mapping):
        inner = ((key, item, isinstance(item, (Mapping, list))) for key, item in value.items())
        return ", ".join(f"{key} ({brief(item)})" if nested else f"{key} {brief(item)}" for key, item, nested in inner)
    return ", ".join(map(brief, value)) if isinstance(value, list) else pretty(value)


def percent(fraction: float) -> str:
    """A change in per cent, with its sign."""
    return f"{fraction:+.1%}".replace("%", " %") if abs(fraction) < float("inf") else "from 0"


def kind_of_status(status: str) -> str:
    """What a status means: good, bad, busy or idle."""
    groups = (("good", GOOD), ("bad", BAD), ("busy", BUSY))
    return next((name for name, statuses in groups if status in statuses), "idle")


def mark(status: str) -> str:
    """A sign for a status, so that colour is not all that tells."""
    return MARKS[kind_of_status(status)]


def uri_link(value: Any) -> Markup:
    """A text, as a link where it is a location in S3."""
    if isinstance(value, str) and value.startswith("s3://") and "\n" not in value:
        return Markup('<a href="/objects?uri={}">{}</a>').format(quote(value, safe=""), seen(value))
    return escape(seen(pretty(value)))


def pretty(value: Any) -> str:
    """A value as text: JSON for documents."""
    if isinstance(value, str):
        return value
    return json.dumps(value, indent=1, default=str, ensure_ascii=False)


def query(value: Any) -> str:
    """A value within the query of an address."""
    return quote(str(value), safe="")


def call_rows(record: Record) -> list[Mapping[str, Any]]:
    """The calls of a page as code, one for each operation."""
    return [
        {"name": f"{call.service} {call.operation}", "boto3": call.boto3, "cli": call.cli, "more": count - 1}
        for call, count in record.kinds()
    ]
