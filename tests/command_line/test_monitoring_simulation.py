"""What cannot be simulated is said before anything runs."""

from argparse import Namespace
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import pytest

from command_line import monitoring_simulation as module
from command_line.monitoring_simulation import simulate, wait_for_capture
from pipelines.errors import PipelineError
from pipelines.settings.settings import default_config, load_settings


def options(**given: Any) -> Namespace:
    names = ("since", "until", "data", "stage", "rows", "seed")
    return Namespace(**{**dict.fromkeys(names), "simulate": "none", **given})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"seed": -1}, "--seed is -1: it must be 0 or more."),
        ({"rows": 19}, "--rows is 19: fewer than 20 houses tell nothing."),
        ({"rows": 0}, "--rows is 0: fewer than 20 houses tell nothing."),
        ({"stage": "staging"}, "leave out --since, --until, --data and --stage."),
        ({"simulate": "storm"}, "--simulate: 'storm' is not a drill"),
    ],
)
def test_what_cannot_be_simulated_is_said(given: dict[str, Any], said: str) -> None:
    context: Any = SimpleNamespace(local=True, settings=load_settings(default_config()))
    with pytest.raises(PipelineError, match=said):
        simulate(context, options(**given))


class Captured:
    """A bucket into which one file of two events, or of others, comes with each look, and which files were read."""

    def __init__(self, files: int, body: bytes = b"{}\n{}\n") -> None:
        self.looks, self.files, self.body, self.read = 0, files, body, list[str]()

    def get_paginator(self, _: str) -> "Captured":
        """Of ListObjectsV2."""
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        """What is there by now."""
        self.looks += 1
        return [{"Contents": [{"Key": str(number)} for number in range(min(self.looks, self.files))]}]

    def get_object(self, **request: Any) -> dict[str, Any]:
        """Its events."""
        self.read.append(request["Key"])
        return {"Body": BytesIO(self.body)}


def where() -> Any:
    return SimpleNamespace(settings=SimpleNamespace(name="p"), environment=SimpleNamespace(bucket="b"))


def test_every_request_is_waited_for_and_each_file_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "POLL_SECONDS", 0)
    bucket = Captured(3)
    wait_for_capture(bucket, where(), 5)
    assert bucket.read == ["0", "1", "2"]


def test_requests_that_were_not_captured_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "POLL_SECONDS", 0)
    monkeypatch.setattr(module, "CAPTURE_SECONDS", 0)
    with pytest.raises(PipelineError, match=r"2 of 7 requests were captured after 0 s\."):
        wait_for_capture(Captured(1), where(), 7)
    with pytest.raises(PipelineError, match=r"1 of 7 requests was captured after 0 s\."):
        wait_for_capture(Captured(1, b"{}\n"), where(), 7)
