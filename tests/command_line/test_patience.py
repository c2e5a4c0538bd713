"""A silent command says that it is at work, once, and one that speaks does not."""

import sys
import time

import pytest

from command_line.patience import Heard, patience


def test_a_silent_command_says_once_that_it_is_at_work(capsys: pytest.CaptureFixture[str]) -> None:
    with patience("models", 0.01):
        time.sleep(0.3)
    assert capsys.readouterr() == ("", "models: working ...\n")


@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_a_command_that_speaks_is_not_announced(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with patience("models", 0.2):
        print("here", file=getattr(sys, name))
        time.sleep(0.4)
    assert "working" not in "".join(capsys.readouterr())


def test_one_that_ends_in_time_waits_for_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    began = time.monotonic()
    with pytest.raises(KeyError), patience("models", 60):
        raise KeyError
    assert time.monotonic() - began < 30
    assert not isinstance(sys.stdout, Heard)
    assert capsys.readouterr() == ("", "")
