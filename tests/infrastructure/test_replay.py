"""Permissions proven by replay: each role can do its part with the policies of roles.yaml, and none may do more.

REPLAY_WRITES=1 writes infrastructure/calls.json anew, for `check` and for the fast tests of the roles.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infrastructure.calls import CALLS
from tests.infrastructure.replay import ROOT, Replay, everything, replaying
from tests.warm.python import warm_python

pytestmark = [pytest.mark.e2e, pytest.mark.journey]


def asked(record: dict[str, list[dict[str, Any]]]) -> dict[str, set[str]]:
    """The actions of each role; which operations needed them may differ with how fast jobs are."""
    return {role: {entry["action"] for entry in entries} for role, entries in record.items()}


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replay]:
    """Everything that the roles are there for, done: a command that was denied has failed."""
    with warm_python(ROOT) as python, replaying(tmp_path_factory.mktemp("replay"), python) as replay:
        everything(replay)
        yield replay


def test_what_the_roles_do_is_what_the_committed_record_says(replayed: Replay) -> None:
    recorded = replayed.recorded()
    if os.environ.get("REPLAY_WRITES") == "1":
        Path(CALLS).write_text(json.dumps(recorded, indent=1) + "\n")
    assert asked(recorded) == asked(json.loads(CALLS.read_text()))
