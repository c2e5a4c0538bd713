"""Columns of a draft that look as if they held the target: left out where it is plain, else told."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from profiling.columns import Draft
from steps import leaks
from steps.data_checks import LATER
from steps.leaks import HIGH_R2, SEVERE_R2, TOGETHER_R2, ordering

AFTER = re.compile(
    r"assess|apprais|estimat|zestimate|predict|commission|invoice|tax_?(amount|value|paid)", re.IGNORECASE
)
ORDERS = 0.95  # a rank correlation with the target that no place in a file has by chance


def without_leaks(
    by_name: Mapping[str, Draft], target: str, accepted: np.ndarray, notes: list[str]
) -> dict[str, Draft]:
    """The columns, those that look like leaks as no features: a person decides, see the comment."""
    result = dict(by_name)
    goal = by_name[target].values[accepted].to_numpy(dtype=float)
    ranks = np.argsort(np.argsort(goal, kind="stable")).astype(float)
    notes += _counting(by_name, target, accepted, goal)
    place = ordering(np.flatnonzero(accepted), goal)
    if place > ORDERS:
        notes.append(f"the rows of the file are ordered by {target}: a column that counts them reveals it")
    numbers: dict[str, np.ndarray] = {}
    for name, each in by_name.items():
        if name == target or not each.is_feature or each.type == "date":
            continue
        result[name], said = _alone(each, target, accepted, ranks)
        notes += said
        if each.type not in ("category", "text") and result[name].is_feature:
            numbers[name] = each.values[accepted].to_numpy(dtype=float)
    _in_pairs(result, target, numbers, ranks, notes)
    _together(result, target, numbers, goal, notes)
    return result


def _alone(each: Draft, target: str, accepted: np.ndarray, ranks: np.ndarray) -> tuple[Draft, list[str]]:
    """The column, as no feature where it alone tells the target, and what is to be said of it."""
    values, name = each.values[accepted], each.name
    if each.type in ("category", "text"):
        codes = leaks.codes_of(values)
        r2 = max(measure(codes, ranks) for measure in (leaks.explained_by_groups, leaks.explained_by_repeats))
        bands = leaks.banded(codes, ranks)
    else:
        numbers = values.to_numpy(dtype=float)
        r2, bands = leaks.explained(numbers, ranks), leaks.banded_by_numbers(numbers, ranks)
    value = max(r2, bands)
    divides = f"divides {target} into bands that hardly overlap"
    tells = f"explains {value:.1%} of {target}" if value == r2 else divides
    if value >= SEVERE_R2:
        leak = each.noted(f"LOOKS LIKE A LEAK: alone it {tells}", feature=False)
        return leak, [f"{name} alone {tells} and is left out as a leak: feature: false"]
    said = []
    if value >= HIGH_R2:
        each = each.noted(f"alone it {tells}: was it known before {target} was?")
        said.append(f"{name} alone {tells}: if it is known only with it, set feature: false")
    if AFTER.search(name) or _named_after(name, target):
        each = each.noted(f"its name suggests that it is known only after {target} is")
        said.append(f"{name} may, judging by its name, be known only after {target} is: if so, set feature: false")
    return each, said


def _in_pairs(
    result: dict[str, Draft], target: str, numbers: dict[str, np.ndarray], ranks: np.ndarray, notes: list[str]
) -> None:
    """Take out the one of a ratio or product that was computed from the target."""
    pair, value = leaks.most_telling_pair(numbers, ranks)
    if value < SEVERE_R2:
        return
    of = re.split(" [x/] ", pair)
    leak = max(of, key=lambda name: (_named_after(name, target), -_bound(name, of, numbers)))
    result[leak] = result[leak].noted(f"LOOKS LIKE A LEAK: {pair} explains {value:.1%} of {target}", feature=False)
    notes.append(
        f"{pair} explains {value:.1%} of {target}: {leak} is left out as a leak; if it is not one, the other is"
    )
    numbers.pop(leak)


def _together(
    result: dict[str, Draft], target: str, numbers: Mapping[str, np.ndarray], goal: np.ndarray, notes: list[str]
) -> None:
    """Tell which numbers hold the target together; which of them were known before it, a person knows."""
    names, value = leaks.told_together(numbers, goal)
    if value < TOGETHER_R2:
        return
    for name in names:
        result[name] = result[name].noted(f"LOOKS LIKE A LEAK: with others it explains {value:.1%} of {target}")
    notes.append(
        f"{leaks.shortened(names)} together explain {value:.1%} of {target}: set feature: false for what is known only "
        "with it"
    )


def _counting(by_name: Mapping[str, Draft], target: str, accepted: np.ndarray, goal: np.ndarray) -> list[str]:
    """What is to be said of numbers that name rows and order the target; no feature is made of them."""
    names = [name for name, each in by_name.items() if each.is_number and not each.is_feature]
    found = {name: ordering(by_name[name].values[accepted].to_numpy(dtype=float), goal) for name in names}
    return [f"{name} orders {target}: whoever knows it knows {target}" for name in names if found[name] > ORDERS]


def _bound(name: str, pair: Sequence[str], numbers: Mapping[str, np.ndarray]) -> float:
    """How closely a number goes along with those beside its pair: what is measured does, what is divided does not."""
    others = [values for other, values in numbers.items() if other not in pair]
    return max((ordering(numbers[name], values) for values in others), default=0.0)


def _named_after(name: str, target: str) -> bool:
    return len(target) > 2 and target.lower() in name.lower() and name != target


def later(by_name: Mapping[str, Draft], date: str | None, notes: list[str]) -> list[str]:
    """The dates after the row's own, which were not known on that day."""
    found = []
    for name, each in by_name.items():
        if date is None or each.type != "date" or name == date:
            continue
        share = float((each.values > by_name[date].values).mean())
        if share > LATER:
            found.append(name)
            notes.append(f"{name} is after {date} in {share:.1%} of the rows: no feature is made of it")
    return found
