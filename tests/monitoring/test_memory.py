"""What one window tells the next: hysteresis, and what somebody has acknowledged."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from monitoring.checks import Check
from monitoring.decision import decide
from monitoring.memory import Acknowledgement, Memory

UNTIL = datetime(2026, 9, 1, tzinfo=timezone.utc)


def known(decision: str = "watch", check: str = "level") -> Acknowledgement:
    return Acknowledgement(check, decision, "the tax has changed", UNTIL, "ada")


def outcome(check: Check, **fields: Any) -> tuple[str, str]:
    memory = Memory(**{"recovery": 0.2, **fields})
    found = decide([check, Check("other", "O.", 0.9)], 0.05, memory)
    return found.decision, found.outcomes[check.name]


@pytest.mark.parametrize(
    ("p", "raised", "expected"),
    [
        (0.024, {}, ("watch", "changed")),
        (0.025, {}, ("ok", "ok")),  # the level of each of two checks: not below it
        (0.1, {}, ("ok", "ok")),
        (0.1, {"level": "watch"}, ("watch", "still changed")),
        (0.1, {"other": "watch"}, ("ok", "ok")),
        (0.2, {"level": "watch"}, ("ok", "ok")),
    ],
)
def test_what_was_raised_is_gone_only_when_it_is_clearly_gone(
    p: float, raised: dict[str, str], expected: tuple[str, str]
) -> None:
    assert outcome(Check("level", "L.", p), raised=raised) == expected


def test_a_retrain_is_over_when_the_change_is_well_below_its_limit() -> None:
    before = {"level": "retrain"}
    assert outcome(Check("level", "L.", 0.001, lingering=True), raised=before)[0] == "retrain"
    assert outcome(Check("level", "L.", 0.1, lingering=True), raised=before)[0] == "retrain"
    assert outcome(Check("level", "L.", 0.001, lingering=False), raised=before)[0] == "watch"
    assert outcome(Check("level", "L.", 0.001, lingering=True), raised={"level": "watch"})[0] == "watch"


def test_what_is_acknowledged_calls_for_nothing_and_says_by_whom_until_when_and_why() -> None:
    found = decide([Check("level", "It moved.", 0.001)], 0.05, Memory(acknowledged=(known(),)))
    assert (found.decision, found.outcomes) == ("ok", {"level": "acknowledged"})
    assert found.reasons == ("Acknowledged until 2026-09-01 00:00 UTC by ada (the tax has changed): It moved.",)
    assert found.raised == {"level": "watch"}  # the next window remembers it


def test_an_acknowledgement_covers_one_check_and_nothing_that_became_worse() -> None:
    serious = Check("level", "L.", 0.001, serious=True)
    assert outcome(serious, acknowledged=(known(),)) == ("retrain", "changed")
    assert outcome(serious, acknowledged=(known("retrain"),)) == ("ok", "acknowledged")
    assert outcome(Check("level", "L.", 0.001), acknowledged=(known("retrain"),)) == ("ok", "acknowledged")
    assert outcome(Check("level", "L.", 0.001), acknowledged=(known(check="error"),)) == ("watch", "changed")


def test_an_acknowledged_check_does_not_hide_another() -> None:
    checks = [Check("level", "L.", 0.001), Check("error", "E.", 0.001)]
    found = decide(checks, 0.05, Memory(acknowledged=(known(),)))
    assert found.decision == "watch"
    assert found.reasons[0] == "E."
    assert found.reasons[1].startswith("Acknowledged until")


def test_without_a_memory_a_window_stands_alone() -> None:
    assert outcome(Check("level", "L.", 0.1), raised={"level": "watch"}, recovery=0.0) == ("ok", "ok")


@pytest.mark.parametrize("decision", ["ok", "", "Retrain"])
def test_an_acknowledgement_of_nothing_is_none(decision: str) -> None:
    document = {"check": "level", "decision": decision, "reason": "r", "until": UNTIL.isoformat(), "by": "ada"}
    with pytest.raises(ValueError, match="neither watch nor retrain"):
        Acknowledgement.from_json(document)
