"""CloudWatch Logs: groups, streams, the end of a stream."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from studio.account.account import Account
from studio.account.attempts import attempt, is_missing

LINES = 200
PAGE = 50
MOST_LINE = 2_000  # characters of a line that are shown


@dataclass(frozen=True)
class Line:
    """A line of a log with its time."""

    when: datetime
    text: str


@dataclass(frozen=True)
class Tail:
    """The last lines of a stream, and where the whole of it is."""

    group: str
    stream: str | None
    lines: tuple[Line, ...]


def tail(account: Account, group: str, prefix: str, limit: int = LINES) -> Tail:
    """The end of the stream of a group that was written to last, of those whose names begin with prefix."""
    from botocore.exceptions import ClientError

    client = account.client("logs")
    try:
        streams = client.describe_log_streams(logGroupName=group, logStreamNamePrefix=prefix, limit=PAGE).get(
            "logStreams", []
        )
    except ClientError as error:
        if not is_missing(error):
            raise
        streams = []
    if not streams:
        return Tail(group, None, ())
    newest = max(streams, key=lambda stream: stream.get("lastEventTimestamp") or stream.get("creationTime") or 0)
    return read_stream(account, group, newest["logStreamName"], limit)


def read_stream(account: Account, group: str, stream: str, limit: int = LINES) -> Tail:
    """The end of one stream."""
    answer = account.client("logs").get_log_events(
        logGroupName=group, logStreamName=stream, limit=limit, startFromHead=False
    )
    return Tail(group, stream, tuple(_line(event) for event in answer.get("events", [])))


def logs_page(account: Account, group: str | None, stream: str | None, token: str | None) -> dict[str, Any]:
    """Groups, or the streams of one, or the end of a stream."""
    client = account.client("logs")
    more: dict[str, Any] = {"nextToken": token} if token else {}
    context: dict[str, Any] = {"group": group, "stream": stream, "tail": None, "streams": None, "groups": None}
    if group and stream:
        context["tail"] = attempt(lambda: read_stream(account, group, stream, 1_000))
    elif group:
        context["streams"] = attempt(
            lambda: client.describe_log_streams(
                logGroupName=group, orderBy="LastEventTime", descending=True, limit=PAGE, **more
            )
        )
    else:
        context["groups"] = attempt(lambda: client.describe_log_groups(limit=PAGE, **more))
    return context


def _line(event: Mapping[str, Any]) -> Line:
    text = str(event.get("message", "")).rstrip("\n")
    when = datetime.fromtimestamp(event.get("timestamp", 0) / 1000, timezone.utc)
    return Line(when, text if len(text) <= MOST_LINE else text[:MOST_LINE] + "…")
