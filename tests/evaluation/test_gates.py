"""A gate is passed or missed as its limit says, and the sentence names what was missed and nothing else."""

from __future__ import annotations

import math
from dataclasses import FrozenInstanceError, asdict, fields, replace
from typing import Any

import pytest

from evaluation.gates import Check, Limits, gates
from steps.gates import GATES
from steps.interval import chance_in_coverage

LIMITS = Limits(
    min_r2=0.85,
    max_r2=0.99,
    max_mape=0.15,
    max_rmse_ratio=0.95,
    max_baseline_ratio=1.0,
    max_missing_ratio=3.0,
    max_broken_rules=0.0,
    max_segment_mape=0.3,
    max_coverage_gap=0.02,
    max_undercovered=0.0,
    min_improvement=0.0,
)


RATIO = {"value": 1.01, "lower": 0.98, "upper": 1.04, "confidence": 0.95}


def interval(measured: float, wanted: float = 0.9, low: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "coverage": wanted,
        "measured": {"value": measured},
        "undercovered": {"count": len(low), "names": list(low)},
    }


def document(**changes: Any) -> dict[str, Any]:
    good: dict[str, Any] = {
        "regression_metrics": {"r2": {"value": 0.9}, "mape": {"value": 0.1}},
        "comparison": {"rmse_ratio": {"value": 0.9}, "baseline_ratio": RATIO},
        "missing_inputs": {"worst": {"name": "", "rmse_ratio": 1.0}},
        "rules": {"broken": 0, "name": ""},
        "interval": interval(0.905),
        "worst_segment": {"name": "age below 10", "rows": 300, "mape": 0.2},
        "data": {"validation_rows": 2000, "test_rows": 4000},
        "champion": {
            "status": "scored",
            "improvement": {"value": 0.03, "lower": 0.01, "upper": 0.05, "confidence": 0.95},
        },
    }
    whole = good | changes
    return {"too_good": {"value": whole["regression_metrics"]["r2"]["value"], "name": ""}, **whole}


def test_good_model_passes_with_nothing_to_say() -> None:
    judged = gates(document(), LIMITS)
    assert judged["missed"] == []
    assert judged["message"] == ""
    assert len(judged["checks"]) == 11


@pytest.mark.parametrize(
    ("changes", "missed", "message"),
    [
        (
            {"regression_metrics": {"r2": {"value": 0.84}, "mape": {"value": 0.16}}},
            ["min_r2", "max_mape"],
            "R2 is 0.84 (at least 0.85); MAPE is 0.16 (at most 0.15).",
        ),
        (
            {"regression_metrics": {"r2": {"value": 0.9901}, "mape": {"value": 0.01}}},
            ["max_r2"],
            "R2, which looks too good to be true above its limit (look for a feature that holds the target), is 0.9901 "
            "(at most 0.99).",
        ),
        (
            {"too_good": {"value": 0.9999, "name": "land and building"}},
            ["max_r2"],
            "the R2 of a line of land and building, which looks too good to be true above its limit (look for a "
            "feature that holds the target), is 0.9999 (at most 0.99).",
        ),
        (
            {"comparison": {"rmse_ratio": {"value": 1.02}, "baseline_ratio": RATIO}},
            ["max_rmse_ratio"],
            "the RMSE over the linear regression's is 1.02 (at most 0.95).",
        ),
        (
            {"worst_segment": {"name": "age below 10", "rows": 300, "mape": 0.31}},
            ["max_segment_mape"],
            "the MAPE of the worst segment (age below 10) is 0.31 (at most 0.3).",
        ),
        (
            {"comparison": {"rmse_ratio": {"value": 0.9}, "baseline_ratio": {**RATIO, "value": 1.1, "lower": 1.02}}},
            ["max_baseline_ratio"],
            "the RMSE is 1.1 times that of scikit-learn's HistGradientBoosting on the same rows, and the lower end of "
            "the 95% confidence interval of that ratio is 1.02 (at most 1).",
        ),
        (
            {"interval": interval(0.9, low=("age below 10", "view 4"))},
            ["max_undercovered"],
            "the number of segments (age below 10 and view 4) whose coverage is, even at its upper bound, more than "
            "3 points too low is 2 (at most 0).",
        ),
        (
            {"missing_inputs": {"worst": {"name": "lot", "rmse_ratio": 3.6}}},
            ["max_missing_ratio"],
            "the RMSE where the optional input lot is missing over the RMSE is 3.6 (at most 3).",
        ),
        (
            {"rules": {"broken": 3, "name": "area"}},
            ["max_broken_rules"],
            "the number of test rows that break a rule of data.monotone (most that of area) is 3 (at most 0).",
        ),
        (
            {"interval": interval(0.75)},
            ["max_coverage_gap"],
            "the interval's coverage is 0.75, and its distance from 0.9 is 0.15 (at most 0.02).",
        ),
        (
            {"champion": {"status": "unusable", "reason": "The model lacks linear.json: train it again"}},
            ["min_improvement"],
            "the champion cannot be scored, so nothing shows that this model is better (The model lacks linear.json: "
            "train it again): approve another version, or give ChampionModelUri.",
        ),
    ],
)
def test_missed_gate_is_named_with_value_and_limit(changes: dict[str, Any], missed: list[str], message: str) -> None:
    judged = gates(document(**changes), LIMITS)
    assert judged["missed"] == missed
    assert judged["message"] == message


def at_their_limits(step: float = 0.0) -> dict[str, Any]:
    """An evaluation whose numbers are all at their limits, or `step` on the wrong side of them."""
    return document(
        regression_metrics={"r2": {"value": 0.85 - step}, "mape": {"value": 0.15 + step}},
        comparison={"rmse_ratio": {"value": 0.95 + step}, "baseline_ratio": {**RATIO, "lower": 1.0 + step}},
        missing_inputs={"worst": {"name": "age", "rmse_ratio": 3.0 + step}},
        rules={"broken": step, "name": "age"},
        worst_segment={"name": "age below 10", "rows": 300, "mape": 0.3 + step},
        interval=interval(0.515625 + step, 0.5, ("age below 10",) if step > 0 else ()),  # 1/64 apart, to the last bit
        data={"validation_rows": 20_000, "test_rows": 20_000},
        champion={
            "status": "scored",
            "improvement": {"value": 0.03, "lower": 0.25 - step, "upper": 0.5, "confidence": 0.95},
        },
    )


def test_a_limit_itself_is_good_enough_but_no_improvement_over_it() -> None:
    limits = replace(LIMITS, max_coverage_gap=0.015625, min_improvement=0.25)
    assert gates(at_their_limits(), limits)["missed"] == ["min_improvement"]
    assert gates(at_their_limits(1e-9), limits)["missed"] == [name for name in GATES if name != "max_r2"]
    assert gates(at_their_limits(-1e-9), limits)["missed"] == []
    too_good = replace(limits, max_r2=0.85)
    assert gates(at_their_limits(-1e-9), too_good)["missed"] == ["max_r2"]
    assert "max_r2" not in gates(at_their_limits(), too_good)["missed"]


def test_what_the_conditions_compare_is_what_was_judged() -> None:
    whole = document()
    whole["gates"] = gates(whole, LIMITS)
    compared = {name: (gate.value(whole), gate.bound) for name, gate in GATES.items()}
    assert compared == {each["name"]: (each["value"], each["bound"]) for each in whole["gates"]["checks"]}
    assert [each["limit"] for each in whole["gates"]["checks"]] == list(asdict(LIMITS).values())


def test_every_gate_has_a_limit_and_nothing_else_has() -> None:
    assert [field.name for field in fields(Limits)] == list(GATES)


@pytest.mark.parametrize(("status", "counts_as"), [("none", 1.0), ("unusable", -1.0)])
def test_a_champion_that_was_not_scored_counts_as_a_number(status: str, counts_as: float) -> None:
    judged = gates(document(champion={"status": status, "reason": "it is gone"}), LIMITS)
    assert judged["values"]["improvement"] == counts_as


@pytest.mark.parametrize(("value", "words"), [(0.02, "2.00% lower"), (0.0, "0.00% lower"), (-0.02, "2.00% higher")])
def test_the_improvement_is_told_as_lower_or_higher(value: float, words: str) -> None:
    improvement = {"value": value, "lower": -0.5, "upper": 0.5, "confidence": 0.95}
    judged = gates(document(champion={"status": "scored", "improvement": improvement}), LIMITS)
    assert f"the RMSE is {words} than the champion's" in judged["message"]


@pytest.mark.parametrize(("measured", "passed"), [(0.82, True), (0.81, False), (0.98, True), (0.99, False)])
def test_few_rows_widen_the_gate_of_the_coverage_to_what_they_can_tell(measured: float, passed: bool) -> None:
    judged = gates(document(interval=interval(measured), data={"validation_rows": 100, "test_rows": 100}), LIMITS)
    assert (judged["missed"] == []) == passed
    # The condition of the pipeline compares the value with the limit of the YAML.
    assert (judged["values"]["coverage_gap"] <= LIMITS.max_coverage_gap) == passed
    (gate,) = [check for check in judged["checks"] if check["name"] == "max_coverage_gap"]
    assert gate["limit"] == pytest.approx(2 * (0.09 * 2 / 100) ** 0.5)
    assert "where 100 validation and 100 test rows tell no better than 0.085," in gate["subject"]


def test_a_limit_that_is_what_the_rows_can_just_tell_is_not_widened() -> None:
    found = document(interval=interval(0.82), data={"validation_rows": 100, "test_rows": 100})
    chance = chance_in_coverage(found["interval"]["coverage"], 100, 100)
    for limit, widened in ((chance, False), (math.nextafter(chance, 0), True)):
        judged = gates(found, replace(LIMITS, max_coverage_gap=limit))
        (gate,) = [check for check in judged["checks"] if check["name"] == "max_coverage_gap"]
        assert gate["limit"] == chance
        assert ("tell no better than" in gate["subject"]) is widened


def test_improvement_that_could_be_noise_is_no_promotion() -> None:
    improvement = {"value": 0.02, "lower": -0.01, "upper": 0.05, "confidence": 0.95}
    judged = gates(document(champion={"status": "scored", "improvement": improvement}), LIMITS)
    assert judged["missed"] == ["min_improvement"]
    assert "the RMSE is 2.00% lower than the champion's" in judged["message"]
    assert "is -0.01 (more than 0)" in judged["message"]


def test_champion_itself_is_not_better_than_itself() -> None:
    improvement = {"value": 0.0, "lower": 0.0, "upper": 0.0, "confidence": 0.95}
    judged = gates(document(champion={"status": "scored", "improvement": improvement}), LIMITS)
    assert judged["missed"] == ["min_improvement"]


def test_what_was_judged_stays_what_it_was() -> None:
    judged = Check("min_r2", "R2", 0.9, "at least", 0.85, True)
    for value in (LIMITS, judged):
        for field in fields(value):
            with pytest.raises(FrozenInstanceError):
                setattr(value, field.name, 0.0)


def test_without_a_champion_nothing_has_to_be_beaten() -> None:
    assert gates(document(champion={"status": "none"}), LIMITS)["missed"] == []
