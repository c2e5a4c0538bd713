"""Metric math: numbers and the ids of other queries with + - * / and parentheses. Other functions are refused."""

import ast
import operator
from collections.abc import Callable, Mapping

OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


class ExpressionFault(ValueError):
    """An expression that cannot be computed here; the text says why."""


def ids_of(expression: str) -> set[str]:
    """The ids that an expression names; ExpressionFault where it holds more than arithmetic."""
    names: set[str] = set()
    _check(_parsed(expression), expression, names)
    return names


def value_of(expression: str, values: Mapping[str, float | None]) -> float | None:
    """The value; None where one that it needs is missing, and for a division by zero, as in CloudWatch."""
    ids_of(expression)
    return _value(_parsed(expression), values)


def _parsed(expression: str) -> ast.expr:
    try:
        return ast.parse(expression.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ExpressionFault(f"The expression {expression!r} cannot be read.") from None


def _check(node: ast.expr, expression: str, names: set[str]) -> None:
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        _check(node.left, expression, names)
        _check(node.right, expression, names)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        _check(node.operand, expression, names)
    elif isinstance(node, ast.Name):
        names.add(node.id)
    elif not (isinstance(node, ast.Constant) and type(node.value) in (int, float)):
        raise ExpressionFault(
            f"Local SageMaker does not support the expression {expression!r}: use numbers, ids and + - * / ( )."
        )


def _value(node: ast.expr, values: Mapping[str, float | None]) -> float | None:
    if isinstance(node, ast.Constant):
        return float(node.value)  # type: ignore[arg-type]  # _check has let numbers through only
    if isinstance(node, ast.Name):
        return values.get(node.id)
    if isinstance(node, ast.UnaryOp):
        value = _value(node.operand, values)
        return None if value is None else -value
    assert isinstance(node, ast.BinOp)  # noqa: S101 - see _check
    left, right = _value(node.left, values), _value(node.right, values)
    if left is None or right is None or (isinstance(node.op, ast.Div) and right == 0):
        return None
    return OPERATORS[type(node.op)](left, right)
