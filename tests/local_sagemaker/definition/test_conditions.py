"""The conditions of a Condition step."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_sagemaker.definition.conditions import holds
from local_sagemaker.definition.expressions import ExpressionError


class NoScope:
    """For conditions without references."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} was asked for")


def compared(kind: str, left: Any, right: Any) -> dict[str, Any]:
    return {"Type": kind, "LeftValue": left, "RightValue": right}


TRUE, FALSE = compared("Equals", 1, 1), compared("Equals", 1, 2)


@pytest.mark.parametrize(
    ("condition", "outcome"),
    [
        (TRUE, True),
        (FALSE, False),
        (compared("GreaterThan", 2, 1), True),
        (compared("GreaterThan", 1, 1), False),
        (compared("GreaterThanOrEqualTo", 0.85, 0.85), True),
        (compared("LessThan", 1, 1), False),
        (compared("LessThanOrEqualTo", 1, 1), True),
        ({"Type": "In", "QueryValue": "b", "Values": ["a", "b"]}, True),
        ({"Type": "In", "QueryValue": "c", "Values": ["a", "b"]}, False),
        (compared("Equals", True, 1), False),
        (compared("Equals", 1, 1.0), True),
        (compared("LessThan", "2026-01-01", "2026-02-01"), True),
        ({"Type": "In", "QueryValue": 1, "Values": [True]}, False),
        ({"Type": "Not", "Expression": FALSE}, True),  # as SDK v2 writes it
        ({"Type": "Not", "Condition": TRUE}, False),  # as SDK v3 writes it
        ({"Type": "Or", "Conditions": [FALSE, TRUE]}, True),
        ({"Type": "Or", "Conditions": [FALSE, FALSE]}, False),
        ({"Type": "And", "Conditions": [TRUE, FALSE]}, False),
        (
            {"Type": "Not", "Expression": {"Type": "Or", "Conditions": [FALSE, {"Type": "Not", "Expression": TRUE}]}},
            True,
        ),
    ],
)
def test_a_condition_holds_as_it_reads(condition: dict[str, Any], outcome: bool) -> None:
    assert holds(condition, NoScope()) is outcome


@pytest.mark.parametrize(("left", "right"), [("high", 3), (True, 0), (None, 1), ([1], [2])])
def test_values_that_cannot_be_compared_are_an_error_that_shows_them(left: Any, right: Any) -> None:
    with pytest.raises(ExpressionError, match=f"cannot compare {re.escape(repr(left))} with {re.escape(repr(right))}"):
        holds(compared("GreaterThan", left, right), NoScope())


def test_an_unknown_condition_is_named() -> None:
    with pytest.raises(ExpressionError, match="Around is not a condition"):
        holds(compared("Around", 1, 1), NoScope())


def group(conditions: list[tuple[Any, bool]]) -> list[tuple[Any, bool]]:
    """Every way to put conditions with a known outcome together, with the outcome."""
    inner, outcomes = [condition for condition, _ in conditions], [outcome for _, outcome in conditions]
    return [
        ({"Type": "And", "Conditions": inner}, all(outcomes)),
        ({"Type": "Or", "Conditions": inner}, any(outcomes)),
        ({"Type": "Not", "Condition": inner[0]}, not outcomes[0]),
    ]


LEAVES = st.tuples(st.integers(-3, 3), st.integers(-3, 3)).flatmap(
    lambda pair: st.sampled_from(
        [
            (compared("Equals", *pair), pair[0] == pair[1]),
            (compared("LessThan", *pair), pair[0] < pair[1]),
            (compared("GreaterThanOrEqualTo", *pair), pair[0] >= pair[1]),
            ({"Type": "In", "QueryValue": pair[0], "Values": [pair[1], 0]}, pair[0] in (pair[1], 0)),
        ]
    )
)
CONDITIONS = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, min_size=1, max_size=3).flatmap(lambda c: st.sampled_from(group(c))),
    max_leaves=12,
)


@given(CONDITIONS)
def test_groups_hold_as_logic_says_however_they_are_nested(known: tuple[Any, bool]) -> None:
    condition, outcome = known
    assert holds(condition, NoScope()) is outcome


@given(st.integers() | st.floats(allow_nan=False), st.integers() | st.floats(allow_nan=False))
def test_exactly_one_of_less_equal_and_greater_holds_for_numbers(left: float, right: float) -> None:
    found = [holds(compared(kind, left, right), NoScope()) for kind in ("LessThan", "Equals", "GreaterThan")]
    assert sum(found) == 1
    assert holds(compared("LessThanOrEqualTo", left, right), NoScope()) is not found[2]
    assert holds(compared("GreaterThanOrEqualTo", left, right), NoScope()) is not found[0]
