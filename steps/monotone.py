"""Rules on the prediction: with more of an input it never falls, or never rises (more area is never cheaper).

The model sees features, not inputs. So for each derived feature the direction is found in which it moves with the
input, from its expression and the ranges of the columns in it; the models are held to that direction of the feature.
Imports no library, so that checking the YAML loads none.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from steps.expressions import parse
from steps.failure import did_you_mean, listed

Rule = Literal["increasing", "decreasing"]
SIGNS: dict[Rule, int] = {"increasing": 1, "decreasing": -1}
NUMERIC = ("integer", "number", "boolean")
RISING = ("sqrt", "log", "log1p", "exp", "floor")


class Motion(NamedTuple):
    """How a number moves while an input grows: 1 rises or stays, -1 falls or stays, 0 stays, None not known.

    It lies from `low` to `high`, whatever the columns hold.
    """

    direction: int | None
    low: float = -math.inf
    high: float = math.inf


def feature_signs(
    rules: Mapping[str, Rule],
    types: Mapping[str, str],
    ranges: Mapping[str, tuple[float | None, float | None] | None],
    derived: Mapping[str, str],
    learned: Mapping[str, Iterable[str]],
    features: Iterable[str],
) -> dict[str, int]:
    """In which direction of each feature the prediction must not fall: feature -> 1 or -1; the others are free.

    `types` and `ranges` are those of the columns without the target, `learned` what each learned feature is `of`.
    Raises ValueError with one sentence where a rule cannot be kept.
    """
    found: dict[str, int] = {}
    first: dict[str, str] = {}
    for name, rule in rules.items():
        if name not in types:
            raise ValueError(f"data.monotone: {name} is not a column that predictions see{did_you_mean(name, types)}.")
        if types[name] not in NUMERIC:
            raise ValueError(f"data.monotone.{name}: a {types[name]} cannot have a rule: only numbers can.")
        if rule not in SIGNS:
            raise ValueError(f"data.monotone.{name} is {rule!r}: it must be increasing or decreasing.")
        signs = _signs_of(name, SIGNS[rule], types, ranges, derived, learned, set(features))
        if not signs:
            raise ValueError(f"data.monotone.{name}: no feature is computed from it, so nothing can be promised.")
        for feature, sign in signs.items():
            if found.setdefault(feature, sign) != sign:
                raise ValueError(
                    f"data.monotone: the derived feature {feature} moves against one of the rules on "
                    f"{listed([first[feature], name])}: leave out the feature, or one of the rules."
                )
            first.setdefault(feature, name)
    return found


def _signs_of(
    name: str,
    sign: int,
    types: Mapping[str, str],
    ranges: Mapping[str, tuple[float | None, float | None] | None],
    derived: Mapping[str, str],
    learned: Mapping[str, Iterable[str]],
    features: set[str],
) -> dict[str, int]:
    """The signs that one rule asks for; ValueError for a feature whose direction is not known."""
    known = {column: Motion(int(column == name), *_range(types[column], ranges.get(column))) for column in types}
    seen = dict(types)
    for feature, text in derived.items():
        known[feature] = motion(parse(text, seen), known)
        seen[feature] = "number"
    moved = {feature: known[feature].direction for feature in (*types, *derived) if feature in features}
    for feature, of in learned.items():
        if any(known[column].direction != 0 for column in of if column in known and feature in features):
            raise ValueError(
                f"data.monotone.{name}: the learned feature {feature} looks for rows that are alike in it, and what "
                "they were worth can rise and fall: leave out the feature, or the rule."
            )
    for feature, direction in moved.items():
        if direction is None:
            raise ValueError(
                f"data.monotone.{name}: it cannot be told whether the derived feature {feature} rises or falls with "
                "it: give the columns in it a range that says their sign, or leave out the feature."
            )
    return {feature: sign * direction for feature, direction in moved.items() if direction}


def _range(type_: str, given: tuple[float | None, float | None] | None) -> tuple[float, float]:
    if type_ == "boolean":
        return 0.0, 1.0
    low, high = given or (None, None)
    return -math.inf if low is None else float(low), math.inf if high is None else float(high)


def motion(node: ast.expr, known: Mapping[str, Motion]) -> Motion:
    """How an expression that `parse` has checked moves; `known` are its columns."""
    if isinstance(node, ast.Constant):
        value = float(node.value)  # type: ignore[arg-type]
        return Motion(0, value, value)
    if isinstance(node, ast.Name):
        return known[node.id]
    if isinstance(node, ast.UnaryOp):
        return _unary(node.op, motion(node.operand, known))
    if isinstance(node, ast.BinOp):
        return _of_two(node, motion(node.left, known), motion(node.right, known))
    if isinstance(node, ast.BoolOp):
        return Motion(_joined(motion(value, known).direction for value in node.values), 0, 1)
    if isinstance(node, ast.Compare):
        return _compared(node, known)
    assert isinstance(node, ast.Call)  # noqa: S101 - parse() lets nothing else through
    return _call(node, known)


def _joined(directions: Iterable[int | None]) -> int | None:
    """The direction of what rises with each of its parts."""

    def both(one: int | None, other: int | None) -> int | None:
        if one is None or other is None or one * other < 0:
            return None
        return one or other

    found: int | None = 0
    for direction in directions:
        found = both(found, direction)
    return found


def _turned(direction: int | None, sign: int | None) -> int | None:
    """The direction times a sign, either of which may not be known."""
    if direction == 0:
        return 0
    return None if direction is None or sign is None else direction * sign


def _sign(of: Motion) -> int | None:
    return 1 if of.low >= 0 else -1 if of.high <= 0 else None


def _negative(of: Motion) -> Motion:
    return Motion(_turned(of.direction, -1), -of.high, -of.low)


def _unary(kind: ast.unaryop, operand: Motion) -> Motion:
    if isinstance(kind, ast.Not):  # 1 where the operand is 0
        return Motion(_turned(operand.direction, -1 if operand.low >= 0 else None), 0, 1)
    return _negative(operand) if isinstance(kind, ast.USub) else operand


def _of_two(node: ast.BinOp, left: Motion, right: Motion) -> Motion:
    if isinstance(node.op, ast.Add):
        return Motion(_joined([left.direction, right.direction]), left.low + right.low, left.high + right.high)
    if isinstance(node.op, ast.Sub):
        right = _negative(right)
        return Motion(_joined([left.direction, right.direction]), left.low + right.low, left.high + right.high)
    if isinstance(node.op, ast.Mult):
        return _product(left, right)
    if isinstance(node.op, ast.Div | ast.FloorDiv):
        return _product(left, _inverse(right))
    if isinstance(node.op, ast.Pow) and right.direction == 0 and left.low >= 0:
        return Motion(_turned(left.direction, _sign(right)), 0)
    return Motion(0 if left.direction == right.direction == 0 else None)


def _product(left: Motion, right: Motion) -> Motion:
    ends = [_times(one, other) for one in (left.low, left.high) for other in (right.low, right.high)]
    directions = [_turned(left.direction, _sign(right)), _turned(right.direction, _sign(left))]
    return Motion(_joined(directions), min(ends), max(ends))


def _times(one: float, other: float) -> float:
    return 0.0 if 0.0 in (one, other) else one * other


def _inverse(of: Motion) -> Motion:
    if of.low < 0 < of.high:
        return Motion(_turned(of.direction, None))
    low = 1 / of.high if of.high else -math.inf
    high = 1 / of.low if of.low else math.inf
    return Motion(_turned(of.direction, -1), low, high)


def _compared(node: ast.Compare, known: Mapping[str, Motion]) -> Motion:
    sides = [node.left, *node.comparators]
    if any(isinstance(side, ast.Constant) and isinstance(side.value, str) for side in sides):
        return Motion(0, 0, 1)  # a category's level
    moves = [motion(side, known) for side in sides]
    found: list[int | None] = []
    for kind, left, right in zip(node.ops, moves, moves[1:], strict=False):
        if isinstance(kind, ast.Eq | ast.NotEq):
            found.append(0 if left.direction == right.direction == 0 else None)
            continue
        rises = _joined([left.direction, _turned(right.direction, -1)])
        found.append(rises if isinstance(kind, ast.Gt | ast.GtE) else _turned(rises, -1))
    return Motion(_joined(found), 0, 1)


def _call(node: ast.Call, known: Mapping[str, Motion]) -> Motion:
    assert isinstance(node.func, ast.Name)  # noqa: S101
    name = node.func.id
    if name in ("min", "max", "where", "abs", "sin", "cos", "km", "is_missing", *RISING):
        parts = [motion(argument, known) for argument in node.args]
    else:
        return Motion(0)  # parts of a date
    if name == "is_missing":
        return Motion(0, 0, 1)
    if name in ("min", "max"):
        choose = min if name == "min" else max
        direction = _joined(part.direction for part in parts)
        return Motion(direction, choose(part.low for part in parts), choose(part.high for part in parts))
    if name == "where":
        condition, *values = parts
        direction = _joined(part.direction for part in values) if condition.direction == 0 else None
        return Motion(direction, min(part.low for part in values), max(part.high for part in values))
    if name == "abs":
        return Motion(_turned(parts[0].direction, _sign(parts[0])), 0)
    if name in RISING:
        return Motion(parts[0].direction, *_ends(name, parts[0]))
    return Motion(0 if all(part.direction == 0 for part in parts) else None)


def _ends(name: str, of: Motion) -> tuple[float, float]:
    """From where to where a rising function goes, as far as its sign matters."""
    if name in ("sqrt", "exp"):
        return 0.0, math.inf
    if name == "floor":
        return (math.floor(of.low) if math.isfinite(of.low) else of.low), of.high
    zero = 1.0 if name == "log" else 0.0
    return (0.0 if of.low >= zero else -math.inf), (0.0 if of.high <= zero else math.inf)
