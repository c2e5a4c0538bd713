"""A rehearsal ends well where every step before the registration did; whatever else ends it stops the run."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from command_line.pipeline import _share
from command_line.rehearsal import _refuse_failed
from pipelines.errors import PipelineError
from pipelines.watching.executions import ExecutionSummary, StepSummary


def ended(status: str, **steps: str) -> ExecutionSummary:
    found = tuple(
        StepSummary(name, outcome, None, None, None, "It broke." if outcome == "Failed" else None, 1, {})
        for name, outcome in steps.items()
    )
    return ExecutionSummary(
        "arn/1", None, status, "It ended.", datetime.now(timezone.utc), datetime.now(timezone.utc), None, found
    )


def test_a_model_that_is_rejected_is_a_rehearsal_that_ended_well() -> None:
    _refuse_failed(ended("Failed", ValidateData="Succeeded", Evaluate="Succeeded", RejectModel="Failed"))


@pytest.mark.parametrize(
    ("execution", "words"),
    [
        (ended("Failed", ValidateData="Succeeded", Train="Failed"), "failed in Train, .*: It broke"),
        (ended("Failed", ValidateData="Succeeded"), "ended early, .*: It ended"),
    ],
)
def test_what_else_ends_it_is_said(execution: ExecutionSummary, words: str) -> None:
    with pytest.raises(PipelineError, match=f"The rehearsal {words}"):
        _refuse_failed(execution)


@pytest.mark.parametrize(("text", "share"), [("1%", 0.01), ("0.5%", 0.005), ("100%", 1.0)])
def test_shares_are_written_as_people_do(text: str, share: float) -> None:
    assert _share(text) == pytest.approx(share)


@pytest.mark.parametrize("text", ["1", "0%", "101%", "-1%", "%", "1%%", "one%", "nan%"])
def test_what_is_no_share_is_refused(text: str) -> None:
    with pytest.raises(Exception, match="is not a share of the rows such as 1%"):
        _share(text)
