from __future__ import annotations

from monitoring.checks import Check
from monitoring.decision import decide


def test_nothing_changed_is_ok() -> None:
    assert decide([Check("a", "A.", 0.5), Check("b", "B.", 0.2)], 0.05).decision == "ok"


def test_the_false_alarms_are_shared_out_over_the_checks_that_had_data() -> None:
    checks = [Check("a", "A.", 0.02), Check("b", "B.", 0.9), Check("c", "Too few.")]
    assert decide(checks, 0.05).level == 0.025
    assert decide(checks, 0.05).decision == "watch"
    assert decide(checks, 0.04).decision == "ok"  # 0.02 is not below 0.02


def test_a_serious_change_calls_for_a_retrain_and_is_told_first() -> None:
    found = decide([Check("a", "A.", 0.001), Check("b", "B.", 0.004, serious=True)], 0.05)
    assert (found.decision, found.reasons) == ("retrain", ("B.", "A."))


def test_what_is_large_but_may_be_chance_calls_for_nothing() -> None:
    assert decide([Check("a", "A.", 0.2, serious=True)], 0.05).decision == "ok"


def test_without_data_there_is_no_decision_and_no_failure() -> None:
    found = decide([Check("a", "Too few sales."), Check("b", "No requests.")], 0.05)
    assert (found.decision, found.reasons) == ("not enough data", ("Too few sales.", "No requests."))


def test_nothing_at_all_is_not_enough_data() -> None:
    assert decide([], 0.05).decision == "not enough data"
