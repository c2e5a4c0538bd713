"""The server of the pages: on this machine only."""

import secrets
import socket
import webbrowser
from collections.abc import Callable
from pathlib import Path

from studio.account.account import Account
from studio.errors import StudioError
from studio.place import HOST
from studio.web.guard import Gatekeeper


def listen(port: int) -> socket.socket:
    """A socket on the loopback interface; StudioError where another program has the port."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError as error:
        listener.close()
        raise StudioError(f"Port {port} cannot be used ({error.strerror}): give another with --port.") from None
    listener.listen(128)
    return listener


def serve(
    account: Account, port: int, open_browser: bool, announce: Callable[[str], None], lessons: Path | None = None
) -> None:
    """Serve the account's pages until Ctrl-C; port 0 takes any that is free.

    `lessons` is a folder of Markdown files.
    """
    import uvicorn

    from studio.web.app import Studio

    listener = listen(port)
    chosen = listener.getsockname()[1]
    keeper = Gatekeeper(chosen, None if account.is_local else secrets.token_urlsafe(24))
    address = f"http://{HOST}:{chosen}/" + (f"?login={keeper.login}" if keeper.login else "")
    config = uvicorn.Config(
        Studio(account, keeper, lessons).application(),
        log_level="warning",
        access_log=False,
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=1,
        limit_concurrency=200,
    )
    announce(f"The studio of {account.place} is at {address}")
    if not account.may_change:
        announce("It only reads: --allow-changes lets it start, approve and predict.")
    announce("Ctrl-C ends it.")
    if open_browser:
        webbrowser.open(address)
    uvicorn.Server(config).run(sockets=[listener])
