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
    found = decide([Check("a", "Too few sales."), Check("b", "No requests."), Check("c", "Too few sales.")], 0.05)
    assert (found.decision, found.reasons) == ("not enough data", ("Too few sales.", "No requests."))


def test_a_file_that_is_as_it_should_be_says_nothing_of_the_model() -> None:
    sound = Check("schema", "As the YAML says.", 1.0, certain=True)
    assert decide([sound, Check("a", "Too few.")], 0.05).reasons == ("Too few.",)
    assert decide([sound, Check("a", "Too few.")], 0.05).decision == "not enough data"
    assert decide([sound, Check("a", "A.", 0.5)], 0.05).level == 0.05  # nothing of it is chance, so it takes no share


def test_a_file_that_is_not_as_it_should_be_is_watched_also_without_other_data() -> None:
    assert decide([Check("schema", "Not so.", 0.0, certain=True), Check("a", "Too few.")], 0.05).decision == "watch"


def test_nothing_at_all_is_not_enough_data() -> None:
    assert decide([], 0.05).decision == "not enough data"
