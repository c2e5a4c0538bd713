"""Who may ask: this machine's own pages only, with a token for changes, and a login for a real account."""

import hmac
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from math import inf
from typing import Any
from urllib.parse import parse_qs

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Any, Send], Awaitable[None]]

# A page loads nothing from elsewhere, runs no inline script, has no inline style, and stands in no other page.
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# What jobs wrote: no script, no request, an origin of its own, so that it reaches neither pages nor tokens.
UNTRUSTED_POLICY = (
    "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'; font-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'"
)
HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",  # with no-referrer, a browser sends the forms of these pages with Origin: null
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
LOGIN_HEADERS = ((b"content-security-policy", b"default-src 'none'"), (b"referrer-policy", b"no-referrer"))
MOST_BODY = 8 << 20


@dataclass(frozen=True)
class Gatekeeper:
    """What a port's pages ask for: `token` proves that a change comes from one of them.

    `login` is the secret of the address that was printed; None on a local server, whose every operation anyone on this
    machine can call anyhow.
    """

    port: int
    login: str | None
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    @property
    def hosts(self) -> set[str]:
        """The names under which this machine reaches the port."""
        return {f"127.0.0.1:{self.port}", f"localhost:{self.port}", f"[::1]:{self.port}"}

    @property
    def origins(self) -> set[str]:
        """The origins of its own pages."""
        return {f"http://{host}" for host in self.hosts}

    @property
    def cookie(self) -> str:
        """The cookie that remembers the login; cookies do not know ports, so its name does."""
        return f"studio-{self.port}"

    def refusal(self, headers: dict[str, str], method: str) -> str | None:
        """Why a request is not answered, or None."""
        if headers.get("host", "") not in self.hosts:
            return f"This page answers only under http://127.0.0.1:{self.port}."
        origin = headers.get("origin")
        if origin is not None and origin not in self.origins:
            return "A page of another origin may not ask here."
        site = headers.get("sec-fetch-site")
        if method != "GET" and site not in (None, "same-origin"):
            return "A page of another site may not change anything here."
        return None

    def knows(self, token: str) -> bool:
        """Whether a form's token is that of this process's pages."""
        return hmac.compare_digest(token.encode(), self.token.encode())

    def is_login(self, secret: str) -> bool:
        """Whether a secret is the one that was printed."""
        return self.login is not None and hmac.compare_digest(secret.encode(), self.login.encode())


def guarded(app: App, keeper: Gatekeeper) -> App:
    """An ASGI application that answers only whom the gatekeeper lets in, with the headers that keep pages apart."""

    async def answer(scope: Scope, receive: Any, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        refused = keeper.refusal(headers, scope["method"])
        if refused is None and _length(headers) > MOST_BODY:
            refused = f"The request is larger than {MOST_BODY:,} bytes, or does not say how large it is."
        if refused is not None:
            await _read_away(receive)
            await _plain(send, 403, refused)
        elif keeper.login is not None and not _has_cookie(keeper, headers):
            await _log_in(keeper, scope, send)
        else:
            await app(scope, receive, _with_headers(send))

    return answer


async def _log_in(keeper: Gatekeeper, scope: Scope, send: Send) -> None:
    """Take the secret out of the address into a cookie that scripts cannot read."""
    given = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("login", [""])[0]
    if not keeper.is_login(given):
        await _plain(send, 401, "Open the address that the studio printed when it started: it holds the login.")
        return
    cookie = f"{keeper.cookie}={keeper.login}; Path=/; HttpOnly; SameSite=Strict"
    # A page that sends the browser on: a redirect out of another program would not carry a SameSite=Strict cookie.
    page = b'<!doctype html><meta http-equiv="refresh" content="0;url=/"><a href="/">Go on</a>'
    headers = [(b"content-type", b"text/html"), (b"set-cookie", cookie.encode()), *LOGIN_HEADERS]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": page})


def _has_cookie(keeper: Gatekeeper, headers: dict[str, str]) -> bool:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(keeper.cookie)
    except CookieError:
        return False
    return found is not None and keeper.is_login(found.value)


def _length(headers: dict[str, str]) -> float:
    """Bytes of a body as its request declares them; one that comes in chunks declares none, and may be endless."""
    if "transfer-encoding" in headers:
        return inf
    text = headers.get("content-length", "0")
    return int(text) if text.isdecimal() else 0


async def _read_away(receive: Any) -> None:
    """Read a body that nobody wants: where a connection ends before it, its sender may see no answer but a reset."""
    read, more = 0, True
    while more and read <= MOST_BODY:
        message = await receive()
        read += len(message.get("body", b""))
        more = message.get("more_body", False)


def _with_headers(send: Send) -> Send:
    async def sending(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            present = {name.lower() for name, _ in message["headers"]}
            added = {**HEADERS, "content-security-policy": PAGE_POLICY, "cache-control": "no-store"}
            message["headers"] = [
                *message["headers"],
                *((name.encode(), value.encode()) for name, value in added.items() if name.encode() not in present),
            ]
        await send(message)

    return sending


async def _plain(send: Send, status: int, text: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"x-content-type-options", b"nosniff")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": f"{text}\n".encode()})
