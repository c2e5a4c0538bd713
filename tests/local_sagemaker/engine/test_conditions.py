"""The conditions of a Condition step."""

from typing import Any

import pytest

from local_sagemaker.engine.conditions import holds
from local_sagemaker.engine.expressions import ExpressionError


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


def test_values_that_cannot_be_compared_are_an_error_that_shows_them() -> None:
    with pytest.raises(ExpressionError, match="cannot compare 'high' with 3"):
        holds(compared("GreaterThan", "high", 3), NoScope())


def test_an_unknown_condition_is_named() -> None:
    with pytest.raises(ExpressionError, match="Around is not a condition"):
        holds(compared("Around", 1, 1), NoScope())
