"""The conditions of a Condition step."""

import operator
from collections.abc import Callable
from typing import Any

from local_sagemaker.definition.expressions import ExpressionError, Scope, evaluate


def equal(left: Any, right: Any) -> bool:
    """Whether two JSON values are the same; true and false equal no number, as they do in Python."""
    return isinstance(left, bool) is isinstance(right, bool) and bool(left == right)


COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "Equals": equal,
    "GreaterThan": operator.gt,
    "GreaterThanOrEqualTo": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqualTo": operator.le,
}


def holds(condition: dict[str, Any], scope: Scope) -> bool:
    """Whether one condition is true; ExpressionError where its values cannot be compared."""
    kind = condition["Type"]
    if kind == "Not":
        return not holds(condition["Condition" if "Condition" in condition else "Expression"], scope)
    if kind == "Or":
        return any(holds(inner, scope) for inner in condition["Conditions"])
    if kind == "And":
        return all(holds(inner, scope) for inner in condition["Conditions"])
    if kind == "In":
        wanted = evaluate(condition["QueryValue"], scope)
        return any(equal(wanted, value) for value in evaluate(condition["Values"], scope))
    if kind not in COMPARISONS:
        raise ExpressionError(f"{kind} is not a condition.")
    return _compare(kind, evaluate(condition["LeftValue"], scope), evaluate(condition["RightValue"], scope))


def _compare(kind: str, left: Any, right: Any) -> bool:
    numbers = all(isinstance(side, int | float) and not isinstance(side, bool) for side in (left, right))
    texts = isinstance(left, str) and isinstance(right, str)
    if kind != "Equals" and not (numbers or texts):
        raise ExpressionError(f"{kind} cannot compare {left!r} with {right!r}.")
    return COMPARISONS[kind](left, right)
