"""The command studio: the process that it starts, and how the reader ends it."""

import socket
from argparse import Namespace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from command_line.studio import open_studio, who
from studio.errors import StudioError


@pytest.fixture
def port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def options(port: int, stop: bool = False) -> Namespace:
    return Namespace(port=port, stop=stop, no_open=True)


@pytest.mark.e2e
def test_a_studio_on_a_port_of_its_own_says_how_it_is_stopped(
    port: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server: Any = SimpleNamespace(url="http://127.0.0.1:9", state=tmp_path)
    elsewhere: Any = SimpleNamespace(url="http://127.0.0.1:10", state=tmp_path)
    try:
        assert open_studio(options(port), server) == 0
        assert f"`run_pipeline.py --local studio --stop --port {port}`" in capsys.readouterr().out
        with pytest.raises(StudioError, match=f"Port {port} has the studio of http://127.0.0.1:9"):
            open_studio(options(port), elsewhere)
    finally:
        assert open_studio(options(port, stop=True), server) == 0
    assert "The studio has ended." in capsys.readouterr().out
    assert who(port) is None
    assert open_studio(options(port, stop=True), server) == 0
    assert f"No studio runs on port {port}." in capsys.readouterr().out
