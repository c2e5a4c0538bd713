"""Compute the derived features: the expressions of `steps.expressions` over the columns of a table."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from steps.expressions import is_text_comparison, parse

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
    "where": lambda condition, yes, no: np.where(condition, yes, no),
}


def with_derived(table: pd.DataFrame, expressions: Mapping[str, str], types: Mapping[str, str]) -> pd.DataFrame:
    """Return the table with one more float column per expression, in their order.

    A later expression may use an earlier one. What cannot be computed for a row (a missing value, a
    division by zero, the logarithm of a negative number) is NaN there.
    """
    known = {name: type_ for name, type_ in types.items() if name in table}
    columns: dict[str, pd.Series] = {}
    for name, text in expressions.items():
        tree = parse(text, known)
        with np.errstate(all="ignore"):
            values = np.asarray(_compute(tree, {**table, **columns}, known), dtype=float)
        values = np.where(np.isfinite(values), values, np.nan)
        columns[name] = pd.Series(np.broadcast_to(values, len(table)), index=table.index, name=name)
        known[name] = "number"
    return pd.concat([table, *columns.values()], axis=1)


def _compute(node: ast.expr, columns: Mapping[Any, pd.Series], types: Mapping[str, str]) -> Any:
    """Compute one checked node; numbers are float arrays of the table's length, or single floats."""

    def value(child: ast.expr) -> Any:
        return _compute(child, columns, types)

    if isinstance(node, ast.Constant):
        return np.float64(node.value)  # type: ignore[arg-type]
    if isinstance(node, ast.Name):
        return columns[node.id].to_numpy(dtype=float, na_value=np.nan)
    if isinstance(node, ast.BinOp):
        return _OPERATORS[type(node.op)](value(node.left), value(node.right))
    if isinstance(node, ast.UnaryOp):
        operand = value(node.operand)
        if isinstance(node.op, ast.Not):
            return np.asarray(operand == 0, dtype=float)
        return -operand if isinstance(node.op, ast.USub) else operand
    if isinstance(node, ast.BoolOp):
        combine = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
        return np.asarray(combine.reduce(np.broadcast_arrays(*[value(v) for v in node.values])), dtype=float)
    if isinstance(node, ast.Compare):
        return _compare(node, columns, types)
    assert isinstance(node, ast.Call)  # noqa: S101 - parse() lets nothing else through
    return _call(node, columns, types)


def _compare(node: ast.Compare, columns: Mapping[Any, pd.Series], types: Mapping[str, str]) -> Any:
    if is_text_comparison(node, types):
        assert isinstance(node.left, ast.Name)  # noqa: S101
        text = ast.literal_eval(node.comparators[0])
        same = (columns[node.left.id] == text).to_numpy(dtype=bool, na_value=False)
        return np.asarray(same if isinstance(node.ops[0], ast.Eq) else ~same, dtype=float)
    sides = [_compute(side, columns, types) for side in [node.left, *node.comparators]]
    pairs = zip(node.ops, sides, sides[1:], strict=False)
    holds = [_OPERATORS[type(op)](left, right) for op, left, right in pairs]
    return np.asarray(np.logical_and.reduce(np.broadcast_arrays(*holds)), dtype=float)


def _call(node: ast.Call, columns: Mapping[Any, pd.Series], types: Mapping[str, str]) -> Any:
    assert isinstance(node.func, ast.Name)  # noqa: S101
    name = node.func.id
    if name in ("year", "month", "day", "weekday", "days"):
        return _date_part(name, node.args[0], columns)
    arguments = [_compute(argument, columns, types) for argument in node.args]
    if name in ("min", "max"):
        reduce = np.minimum.reduce if name == "min" else np.maximum.reduce
        return reduce(np.broadcast_arrays(*arguments))
    return np.asarray(_FUNCTIONS[name](*arguments), dtype=float)


def _date_part(name: str, argument: ast.expr, columns: Mapping[Any, pd.Series]) -> Any:
    if isinstance(argument, ast.Constant):
        dates = pd.Series(pd.to_datetime([str(argument.value)]))
    else:
        assert isinstance(argument, ast.Name)  # noqa: S101
        dates = columns[argument.id]
    part = (dates - pd.Timestamp("1970-01-01")).dt.days if name == "days" else getattr(dates.dt, name)
    values = part.to_numpy(dtype=float, na_value=np.nan)
    return values[0] if isinstance(argument, ast.Constant) else values
