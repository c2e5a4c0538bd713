"""The conditions of a Condition step."""

import operator
from collections.abc import Callable
from typing import Any

from local_sagemaker.engine.expressions import ExpressionError, Scope, evaluate

COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "Equals": operator.eq,
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
        return evaluate(condition["QueryValue"], scope) in evaluate(condition["Values"], scope)
    if kind not in COMPARISONS:
        raise ExpressionError(f"{kind} is not a condition.")
    left, right = evaluate(condition["LeftValue"], scope), evaluate(condition["RightValue"], scope)
    try:
        return COMPARISONS[kind](left, right)
    except TypeError:
        raise ExpressionError(f"{kind} cannot compare {left!r} with {right!r}.") from None
