"""Rules that the rows speak for: the target rises, or falls, with a number alone and beside all the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from profiling.columns import LATITUDE, LONGITUDE, Draft
from steps.monotone import Rule, feature_signs

ALONE = 0.3  # the least rank correlation with the target
BESIDE = 0.1  # the least one of what is left of both when the other numbers are taken out
MOST_RULES = 5
FEWEST_ROWS = 100


@dataclass(frozen=True)
class FoundRule:
    """A rule of data.monotone, and the rank correlation that speaks for it."""

    column: str
    rule: Rule
    correlation: float


def rules_of(
    columns: Sequence[Draft],
    target: np.ndarray,
    accepted: np.ndarray,
    derived: Mapping[str, str],
    learned: Mapping[str, Mapping[str, Sequence[str]]],
) -> list[FoundRule]:
    """The strongest rules on the features among `columns`, the target's not among them, that can be kept.

    `target` has the accepted rows' values, the columns all rows.
    """
    numbers = [each for each in columns if each.is_number and each.is_feature]
    if len(target) < FEWEST_ROWS or not numbers:
        return []
    goal = _ranks(target)
    table = np.column_stack([_ranks(each.values[accepted].to_numpy(dtype=float)) for each in numbers])
    found = []
    for place, each in enumerate(numbers):
        alone = _correlation(table[:, place], goal)
        if abs(alone) < ALONE or LATITUDE.match(each.name) or LONGITUDE.match(each.name):
            continue
        others = np.delete(table, place, axis=1)
        beside = _correlation(_left(table[:, place], others), _left(goal, others))
        if beside * np.sign(alone) >= BESIDE:
            found.append(FoundRule(each.name, "increasing" if alone > 0 else "decreasing", alone))
    found.sort(key=lambda rule: -abs(rule.correlation))
    return [rule for rule in found if _can_be_kept(rule, columns, derived, learned)][:MOST_RULES]


def _ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from -0.5 to 0.5, equal values alike; 0 for what is missing."""
    known = np.isfinite(values)
    result = np.zeros(len(values))
    _, places, counts = np.unique(values[known], return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - (counts + 1) / 2
    result[known] = middle[places] / max(1, known.sum() - 1) - 0.5
    return result


def _left(values: np.ndarray, others: np.ndarray) -> np.ndarray:
    """What a line of the other numbers does not say."""
    table = np.column_stack([np.ones(len(values)), others])
    result: np.ndarray = values - table @ np.linalg.lstsq(table, values, rcond=None)[0]
    return result


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    one, other = one - one.mean(), other - other.mean()
    scale = float(np.sqrt((one**2).sum() * (other**2).sum()))
    return float((one * other).sum()) / scale if scale > 1e-9 * len(one) else 0.0


def _can_be_kept(
    rule: FoundRule,
    columns: Sequence[Draft],
    derived: Mapping[str, str],
    learned: Mapping[str, Mapping[str, Sequence[str]]],
) -> bool:
    """Whether `check` would take it, with the derived and learned features of the draft."""
    types = {each.name: each.type for each in columns}
    direct = [each.name for each in columns if each.is_feature and each.type not in ("text", "date")]
    try:
        feature_signs(
            {rule.column: rule.rule},
            types,
            {each.name: each.column.get("range") for each in columns},
            derived,
            {name: feature["of"] for name, feature in learned.items()},
            [*direct, *derived, *learned],
        )
    except ValueError:
        return False
    return True
