"""A part of a page kept up to date: server-sent events with the part as HTML, whenever it has changed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import StreamingResponse

BEAT_SECONDS = 15.0  # a comment, so that a connection that is gone is noticed
MOST_STREAMS = 50


@dataclass(frozen=True)
class Part:
    """A part of a page as HTML, and whether it will change again."""

    html: str
    is_final: bool


class Streams:
    """The live parts that are open at the same time: a limited number, for each asks the account again and again."""

    def __init__(self, poll_seconds: float) -> None:
        self._poll, self._open = poll_seconds, 0

    def answer(self, request: Request, read: Callable[[], Part]) -> StreamingResponse | None:
        """The stream of a part; None where too many are open."""
        if self._open >= MOST_STREAMS:
            return None
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamingResponse(self._events(request, read), media_type="text/event-stream", headers=headers)

    async def _events(self, request: Request, read: Callable[[], Part]) -> AsyncIterator[str]:
        self._open += 1
        try:
            last, quiet = "", 0.0
            while not await request.is_disconnected():
                part = await run_in_threadpool(read)
                if part.html != last:
                    last, quiet = part.html, 0.0
                    yield event("part", part.html)
                elif quiet >= BEAT_SECONDS:
                    quiet = 0.0
                    yield ": still here\n\n"
                if part.is_final:
                    yield event("end", "")
                    return
                await asyncio.sleep(self._poll)
                quiet += self._poll
        finally:
            self._open -= 1


def event(name: str, text: str) -> str:
    """One event; a line of the text is a line of data."""
    lines = "\n".join(f"data: {line}" for line in text.splitlines() or [""])
    return f"event: {name}\n{lines}\n\n"
