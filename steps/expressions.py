"""The language of derived features: a Python expression over columns, checked before it is computed.

Arithmetic (+ - * / // % **), comparisons, `and`, `or`, `not`, numbers, column names and the functions
in FUNCTIONS. Dates are read by year(date), month(date), day(date), weekday(date), and by days(date),
the days since 1970-01-01, which also takes a date in quotes: days(date) - days('2014-05-01').
km(latitude, longitude, latitude, longitude) is the distance of two places on the earth.
Categories can be compared with a text: zipcode == '98039'. A name that is not one word of letters, digits
and _ stands in backticks: `Gr Liv Area` / 2. Anything else is an error that names it.
"""

from __future__ import annotations

import ast
import keyword
import math
import operator
import re
from collections.abc import Callable, Mapping
from datetime import date

from steps.failure import did_you_mean, listed

# name -> (fewest arguments, most arguments); None is any number
FUNCTIONS: dict[str, tuple[int, int | None]] = {
    "min": (2, None),
    "max": (2, None),
    "where": (3, 3),
    "abs": (1, 1),
    "sqrt": (1, 1),
    "log": (1, 1),
    "log1p": (1, 1),
    "exp": (1, 1),
    "sin": (1, 1),
    "cos": (1, 1),
    "floor": (1, 1),
    "km": (4, 4),
    "is_missing": (1, 1),
}
QUOTED = re.compile(r"""`([^`]*)`|'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*\"""")
UNUSED = "quoted_name_"  # a name in backticks while Python parses the expression
DATE_FUNCTIONS = ("year", "month", "day", "weekday", "days")
KNOWN = {*FUNCTIONS, *DATE_FUNCTIONS}
ARITHMETIC: dict[type[ast.operator], Callable[[float, float], float | complex]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
LONGEST_SHOWN = 40  # characters of a part that is named in an error
COMPARISONS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)
MAXIMUM_LENGTH = 1000
MAXIMUM_DEPTH = 100  # of parts within parts


class ExpressionError(ValueError):
    """An expression that cannot be computed; the message is one sentence."""


def parse(text: str, types: Mapping[str, str]) -> ast.expr:
    """Parse and check one expression.

    `types` maps each usable column to its type (number, integer, boolean, category, text or date).
    Raises ExpressionError naming what is wrong.
    """
    if len(text) > MAXIMUM_LENGTH:
        raise ExpressionError(f"it is longer than {MAXIMUM_LENGTH} characters.")
    try:
        tree = _tree(text)
        _check(tree, types)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        if isinstance(error, ExpressionError):
            raise
        raise ExpressionError(f"it is not an expression ({getattr(error, 'msg', None) or error}).") from error
    return tree


def names(text: str) -> set[str]:
    """Return the column names that an expression refers to."""
    tree = _tree(text)
    functions = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in functions}


def _tree(text: str) -> ast.expr:
    """The parsed expression; names in backticks are names like others in it."""
    quoted: dict[str, str] = {}

    def stand_in(found: re.Match[str]) -> str:
        if found[1] is None:
            return found[0]  # a text in quotes: backticks in it mean nothing
        name = f"{UNUSED}{len(quoted)}"
        quoted[name] = found[1]
        return name

    tree = ast.parse(QUOTED.sub(stand_in, text.strip()), mode="eval").body
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            node.id = quoted.get(node.id, node.id)
    return tree


def written(name: str) -> str:
    """A column's name as it stands in an expression."""
    return name if name.isidentifier() and not keyword.iskeyword(name) and name not in KNOWN else f"`{name}`"


def _check(node: ast.expr, types: Mapping[str, str], depth: int = 1) -> None:
    """Raise ExpressionError unless `node` is a numeric expression of the language."""
    if depth > MAXIMUM_DEPTH:
        raise ExpressionError(f"it has more than {MAXIMUM_DEPTH} parts within parts: split it into several features.")
    if isinstance(node, ast.Constant):
        if not isinstance(node.value, bool | int | float):
            raise ExpressionError(f"{node.value!r} is not a number.")
        return _check_finite(node)
    if isinstance(node, ast.Name):
        return _check_numeric_column(node.id, types)
    if isinstance(node, ast.Compare) and is_text_comparison(node, types):
        return
    for child in _operands(node, types):
        _check(child, types, depth + 1)
    _check_finite(node)


def _check_finite(node: ast.expr) -> None:
    """Raise ExpressionError for a part that is made of numbers alone, and is not one that a column could have."""
    try:
        _value(node)
    except ArithmeticError:
        text = ast.unparse(node) if isinstance(node, ast.BinOp) else ""
        what = text if 0 < len(text) <= LONGEST_SHOWN else "a number in it"
        raise ExpressionError(f"{what} is too large, or not a number.") from None


def _value(node: ast.expr) -> float | None:
    """The value of a part that is made of numbers and arithmetic alone, else None; ArithmeticError if it has none."""
    if isinstance(node, ast.Constant):
        return _finite(float(node.value)) if isinstance(node.value, bool | int | float) else None
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        return None if (value := _value(node.operand)) is None else -value
    if not isinstance(node, ast.BinOp):
        return None
    left, right = _value(node.left), _value(node.right)
    return None if left is None or right is None else _finite(ARITHMETIC[type(node.op)](left, right))


def _finite(value: float | complex) -> float:
    if isinstance(value, complex) or not math.isfinite(value):
        raise ArithmeticError
    return value


def _operands(node: ast.expr, types: Mapping[str, str]) -> list[ast.expr]:
    """Return the numeric expressions that `node` is made of; raise ExpressionError if it is not allowed."""
    if isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
        return [node.left, node.right]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd | ast.Not):
        return [node.operand]
    if isinstance(node, ast.BoolOp):
        return node.values
    if isinstance(node, ast.Compare) and all(isinstance(op, COMPARISONS) for op in node.ops):
        return [node.left, *node.comparators]
    if isinstance(node, ast.Call):
        return _check_call(node, types)
    raise ExpressionError(f"'{ast.unparse(node)}' is not part of the language of derived features.")


def _check_numeric_column(name: str, types: Mapping[str, str]) -> None:
    if name not in types:
        raise ExpressionError(f"it refers to {name}, which is not a column{did_you_mean(name, types)}.")
    if types[name] == "date":
        raise ExpressionError(f"{name} is a date: use {listed(f'{f}({name})' for f in DATE_FUNCTIONS)}.")
    if types[name] in ("text", "category"):
        raise ExpressionError(f"{name} is a {types[name]}: compare it with a text, as in {name} == 'A'.")


def is_text_comparison(node: ast.Compare, types: Mapping[str, str]) -> bool:
    """Say whether this is `category == 'text'` or `category != 'text'`."""
    return (
        len(node.ops) == 1
        and isinstance(node.ops[0], ast.Eq | ast.NotEq)
        and isinstance(node.left, ast.Name)
        and types.get(node.left.id) in ("text", "category")
        and isinstance(node.comparators[0], ast.Constant)
        and isinstance(node.comparators[0].value, str)
    )


def _check_call(node: ast.Call, types: Mapping[str, str]) -> list[ast.expr]:
    """Check a function call; return the arguments that are numeric expressions themselves."""
    name = node.func.id if isinstance(node.func, ast.Name) else ast.unparse(node.func)
    if node.keywords or any(isinstance(argument, ast.Starred) for argument in node.args):
        raise ExpressionError(f"{name} takes plain arguments only.")
    if name in DATE_FUNCTIONS:
        _check_date_call(name, node.args, types)
        return []
    if name not in FUNCTIONS:
        known = [*FUNCTIONS, *DATE_FUNCTIONS]
        raise ExpressionError(f"{name} is not a function; there are {listed(known)}{did_you_mean(name, known)}.")
    fewest, most = FUNCTIONS[name]
    if len(node.args) < fewest or (most is not None and len(node.args) > most):
        raise ExpressionError(f"{name} takes {fewest}{'' if most else ' or more'} arguments, not {len(node.args)}.")
    return node.args


def _check_date_call(name: str, arguments: list[ast.expr], types: Mapping[str, str]) -> None:
    if len(arguments) == 1:
        argument = arguments[0]
        if isinstance(argument, ast.Name) and argument.id not in types:
            _check_numeric_column(argument.id, types)  # says that there is no such column
        if isinstance(argument, ast.Name) and types[argument.id] == "date":
            return
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
            try:
                date.fromisoformat(argument.value)
            except ValueError as error:
                raise ExpressionError(f"{argument.value!r} is not a date such as '2014-05-01'.") from error
            return
    raise ExpressionError(f"{name} takes one column of type date, or a date in quotes.")
