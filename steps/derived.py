"""Compute the derived features: the expressions of `steps.expressions`, compiled to operations on arrays."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from steps.columns import Columns, columns_of
from steps.expressions import is_text_comparison, names, parse

# From the columns to a float array of their length, or to a single float where no column is in it.
Operation = Callable[[Columns], Any]

_OPERATORS: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: np.true_divide,
    ast.FloorDiv: np.floor_divide,
    ast.Mod: np.mod,
    ast.Pow: np.power,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
EARTH_RADIUS_KM = 6371.0088  # the mean radius of the International Union of Geodesy and Geophysics
THURSDAY = 3  # the weekday of 1970-01-01


def _kilometres(latitude: Any, longitude: Any, other_latitude: Any, other_longitude: Any) -> Any:
    """Great-circle distances of places in degrees, by the haversine formula."""
    radians = [np.radians(angle) for angle in (latitude, longitude, other_latitude, other_longitude)]
    north, east = (np.sin((radians[i] - radians[i + 2]) / 2) ** 2 for i in (0, 1))
    return 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(north + np.cos(radians[0]) * np.cos(radians[2]) * east))


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "abs": np.abs,
    "sqrt": np.sqrt,
    "log": np.log,
    "log1p": np.log1p,
    "exp": np.exp,
    "sin": np.sin,
    "cos": np.cos,
    "floor": np.floor,
    "km": _kilometres,
    "is_missing": np.isnan,
    "where": np.where,
    "min": lambda *arguments: np.minimum.reduce(np.broadcast_arrays(*arguments)),
    "max": lambda *arguments: np.maximum.reduce(np.broadcast_arrays(*arguments)),
}


def _since_1970(dates: np.ndarray, unit: str) -> np.ndarray:
    return dates.astype(f"datetime64[{unit}]").astype(np.int64)


_DATE_PARTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "year": lambda dates: _since_1970(dates, "Y") + 1970,
    "month": lambda dates: _since_1970(dates, "M") % 12 + 1,
    "day": lambda dates: _since_1970(dates, "D") - _since_1970(dates.astype("datetime64[M]"), "D") + 1,
    "weekday": lambda dates: (_since_1970(dates, "D") + THURSDAY) % 7,
    "days": lambda dates: _since_1970(dates, "D"),
}


class Derived:
    """Derived features in their order, compiled once; a later expression may use an earlier one.

    `types` are those of the columns that there are. Raises ExpressionError for an expression that they do not
    suffice for.
    """

    def __init__(self, expressions: Mapping[str, str], types: Mapping[str, str]) -> None:
        known = dict(types)
        self._operations: dict[str, Operation] = {}
        for name, text in expressions.items():
            self._operations[name] = _compiled(parse(text, known), known)
            known[name] = "number"

    def of(self, columns: Columns, rows: int) -> dict[str, np.ndarray]:
        """Return the derived features of that many rows: a float array each.

        What cannot be computed for a row (a missing value, a division by zero, the logarithm of a negative number)
        is NaN there.
        """
        known = dict(columns)
        with np.errstate(all="ignore"):
            for name, operation in self._operations.items():
                values = np.asarray(operation(known), dtype=float)
                values = np.where(np.isfinite(values), values, np.nan)
                known[name] = values if values.shape == (rows,) else np.broadcast_to(values, rows)
        return {name: known[name] for name in self._operations}


def made_of(text: str, expressions: Mapping[str, str]) -> dict[str, str]:
    """Those of the expressions, in their order, that `text` is computed from, itself or by way of another."""
    wanted = names(text)
    for name, expression in reversed(list(expressions.items())):
        if name in wanted:
            wanted |= names(expression)
    return {name: expression for name, expression in expressions.items() if name in wanted}


def with_derived(table: pd.DataFrame, expressions: Mapping[str, str], types: Mapping[str, str]) -> pd.DataFrame:
    """Return the table of typed rows with one more float column per expression, in their order; see `Derived`."""
    known = {name: type_ for name, type_ in types.items() if name in table}
    derived = Derived(expressions, known)
    needed = set().union(*map(names, expressions.values())) & set(known)
    computed = derived.of(columns_of(table, needed, known), len(table))
    return pd.concat([table, pd.DataFrame(computed, index=table.index)], axis=1)


def _compiled(node: ast.expr, types: Mapping[str, str]) -> Operation:
    """Compile one checked node."""
    if isinstance(node, ast.Constant):
        number = np.float64(node.value)  # type: ignore[arg-type]
        return lambda _: number
    if isinstance(node, ast.Name):
        return operator.itemgetter(node.id)
    if isinstance(node, ast.BinOp):
        return _of_two(_OPERATORS[type(node.op)], _compiled(node.left, types), _compiled(node.right, types))
    if isinstance(node, ast.UnaryOp):
        return _unary(node.op, _compiled(node.operand, types))
    if isinstance(node, ast.BoolOp):
        combine = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
        return _all_together(combine, [_compiled(value, types) for value in node.values])
    if isinstance(node, ast.Compare):
        return _compare(node, types)
    assert isinstance(node, ast.Call)  # noqa: S101 - parse() lets nothing else through
    return _call(node, types)


def _of_two(function: Callable[[Any, Any], Any], left: Operation, right: Operation) -> Operation:
    return lambda columns: function(left(columns), right(columns))


def _unary(kind: ast.unaryop, operand: Operation) -> Operation:
    if isinstance(kind, ast.Not):
        return lambda columns: np.asarray(operand(columns) == 0, dtype=float)
    return (lambda columns: -operand(columns)) if isinstance(kind, ast.USub) else operand


def _all_together(combine: np.ufunc, operands: Sequence[Operation]) -> Operation:
    def operation(columns: Columns) -> Any:
        values = np.broadcast_arrays(*[operand(columns) for operand in operands])
        return np.asarray(combine.reduce(values), dtype=float)

    return operation


def _compare(node: ast.Compare, types: Mapping[str, str]) -> Operation:
    if is_text_comparison(node, types):
        assert isinstance(node.left, ast.Name)  # noqa: S101
        return _text_comparison(node.left.id, ast.literal_eval(node.comparators[0]), isinstance(node.ops[0], ast.Eq))
    sides = [_compiled(side, types) for side in [node.left, *node.comparators]]
    if len(node.ops) == 1:
        compare = _OPERATORS[type(node.ops[0])]
        return lambda columns: np.asarray(compare(sides[0](columns), sides[1](columns)), dtype=float)
    pairs = zip(node.ops, sides, sides[1:], strict=False)
    return _all_together(np.logical_and, [_of_two(_OPERATORS[type(op)], left, right) for op, left, right in pairs])


def _text_comparison(name: str, text: str, equal: bool) -> Operation:
    def operation(columns: Columns) -> Any:
        same = np.fromiter((value == text for value in columns[name]), dtype=bool, count=len(columns[name]))
        return np.asarray(same if equal else ~same, dtype=float)

    return operation


def _call(node: ast.Call, types: Mapping[str, str]) -> Operation:
    assert isinstance(node.func, ast.Name)  # noqa: S101
    name = node.func.id
    if name in _DATE_PARTS:
        return _date_part(_DATE_PARTS[name], node.args[0])
    function, arguments = _FUNCTIONS[name], [_compiled(argument, types) for argument in node.args]
    return lambda columns: np.asarray(function(*[argument(columns) for argument in arguments]), dtype=float)


def _date_part(part: Callable[[np.ndarray], np.ndarray], argument: ast.expr) -> Operation:
    if isinstance(argument, ast.Constant):
        number = np.float64(part(np.array(date.fromisoformat(str(argument.value)), dtype="datetime64[D]")))
        return lambda _: number
    assert isinstance(argument, ast.Name)  # noqa: S101
    name = argument.id

    def operation(columns: Columns) -> Any:
        dates = columns[name]
        return np.where(np.isnat(dates), np.nan, part(dates))

    return operation
