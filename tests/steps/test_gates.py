"""What the limit of each gate may be, what it is if the YAML names none, and on which side of it a model passes."""

import pytest
from pydantic import ValidationError

from pipelines.settings.settings import GateSettings
from steps.gates import GATES, passes

NEEDED = {"min_r2": 0.5, "max_mape": 0.2, "max_rmse_ratio": 1.0}
LEFT_OUT = {
    "max_r2": 0.99,
    "max_baseline_ratio": 1.0,
    "max_missing_ratio": 3.0,
    "max_broken_rules": 0.0,
    "max_segment_mape": 0.5,
    "max_coverage_gap": 0.02,
    "max_undercovered": 0.0,
    "min_improvement": 0.0,
}


def test_what_the_yaml_leaves_out_has_these_limits_and_the_rest_is_needed() -> None:
    given = GateSettings(**NEEDED)
    assert {name: getattr(given, name) for name in LEFT_OUT} == LEFT_OUT
    assert set(NEEDED) | set(LEFT_OUT) == set(GATES)
    for name in NEEDED:
        with pytest.raises(ValidationError, match=name):
            GateSettings(**{other: value for other, value in NEEDED.items() if other != name})


@pytest.mark.parametrize(
    ("name", "allowed", "refused"),
    [
        ("min_r2", [-1, 1], [1.001]),
        ("max_r2", [0.001, 1], [0, 1.001]),
        ("max_mape", [0.001, 5], [0]),
        ("max_rmse_ratio", [0.001, 5], [0]),
        ("max_baseline_ratio", [0.001, 5], [0]),
        ("max_missing_ratio", [1, 9], [0.999]),
        ("max_broken_rules", [0, 7], [-1]),
        ("max_segment_mape", [0.001, 5], [0]),
        ("max_coverage_gap", [0.001, 0.999], [0, 1]),
        ("max_undercovered", [0, 7], [-1]),
        ("min_improvement", [-0.999, 0.999], [-1, 1]),
    ],
)
def test_a_limit_is_allowed_up_to_its_bounds(name: str, allowed: list[float], refused: list[float]) -> None:
    for value in allowed:
        assert getattr(GateSettings(**{**NEEDED, name: value}), name) == value
    for value in refused:
        with pytest.raises(ValidationError, match=name):
            GateSettings(**{**NEEDED, name: value})


@pytest.mark.parametrize(("bound", "sides"), [("at least", (False, True, True)), ("at most", (True, True, False)),
                                               ("more than", (False, False, True))])  # fmt: skip
def test_a_number_that_is_its_limit_passes_unless_it_must_be_more(bound: str, sides: tuple[bool, ...]) -> None:
    assert tuple(passes(value, bound, 1.0) for value in (0.999, 1.0, 1.001)) == sides
