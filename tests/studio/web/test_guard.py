"""Who is let in."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest

from studio.web.guard import MOST_BODY, PAGE_POLICY, UNTRUSTED_POLICY, Gatekeeper, guarded

KEEPER = Gatekeeper(5600, None)


@pytest.mark.parametrize(
    ("headers", "method", "let_in"),
    [
        ({"host": "127.0.0.1:5600"}, "GET", True),
        ({"host": "localhost:5600", "origin": "http://localhost:5600"}, "POST", True),
        ({"host": "127.0.0.1:5600", "sec-fetch-site": "cross-site"}, "GET", True),  # a link from elsewhere only reads
        ({"host": "127.0.0.1:5600", "sec-fetch-site": "cross-site"}, "POST", False),
        ({"host": "127.0.0.1:5600", "sec-fetch-site": "same-site"}, "POST", False),  # another port of this machine
        ({"host": "127.0.0.1:5601"}, "GET", False),
        ({"host": "evil.example"}, "GET", False),
        ({}, "GET", False),
        ({"host": "127.0.0.1:5600", "origin": "null"}, "GET", False),
        ({"host": "127.0.0.1:5600", "origin": "https://127.0.0.1:5600"}, "GET", False),
    ],
)
def test_only_this_ports_own_pages_ask(headers: dict[str, str], method: str, let_in: bool) -> None:
    assert (KEEPER.refusal(headers, method) is None) is let_in


def test_the_token_is_of_this_start_and_hard_to_guess() -> None:
    assert KEEPER.knows(KEEPER.token)
    assert not KEEPER.knows(Gatekeeper(5600, None).token)
    assert not KEEPER.knows("")
    assert not KEEPER.knows("é")
    assert len(KEEPER.token) > 40


def test_no_login_is_no_secret_that_fits() -> None:
    assert not KEEPER.is_login("")
    assert Gatekeeper(1, "secret").is_login("secret")
    assert not Gatekeeper(1, "secret").is_login("secre")


def test_pages_run_only_their_own_scripts_and_reports_none() -> None:
    assert "unsafe" not in PAGE_POLICY
    assert "frame-ancestors 'none'" in PAGE_POLICY
    assert "script-src" not in UNTRUSTED_POLICY
    assert "default-src 'none'" in UNTRUSTED_POLICY
    assert "allow-" not in UNTRUSTED_POLICY


def ask(headers: dict[str, str], pieces: list[bytes]) -> tuple[int, list[bytes]]:
    """The status of a POST to a guarded application that answers 200, and the pieces of its body that nobody read."""
    statuses: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}

    async def send(message: MutableMapping[str, Any]) -> None:
        statuses.extend([message["status"]] if "status" in message else [])

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    scope = {
        "type": "http",
        "method": "POST",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    asyncio.run(guarded(app, KEEPER)(scope, receive, send))
    return statuses[0], pieces


def test_the_body_of_a_refused_request_is_read_so_that_its_sender_sees_the_answer() -> None:
    assert ask({"host": "evil.example"}, [b"a=1&", b"b=2"]) == (403, [])
    assert ask({"host": "evil.example"}, [b"a" * MOST_BODY, b"a", b"more"]) == (403, [b"more"])


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ({"content-length": str(MOST_BODY)}, 200),
        ({"content-length": str(MOST_BODY + 1)}, 403),
        ({"transfer-encoding": "chunked"}, 403),
    ],
)
def test_a_body_says_that_it_is_small(header: dict[str, str], status: int) -> None:
    assert ask({"host": "127.0.0.1:5600"} | header, [b""])[0] == status
