"""Values that training has not seen: missing ones, numbers beyond its range, levels that are new."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import fisher_exact

from monitoring.checks import Check


@dataclass(frozen=True)
class Strange:
    """One column: the rows whose value is missing, out of range or a new level, and an example of such a value."""

    column: str
    kind: str
    rows: int
    share: float
    reference_share: float
    p: float
    example: str


@dataclass(frozen=True)
class Baselines:
    """What Model Monitor's data_quality/statistics.json and constraints.json say, by column."""

    ranges: Mapping[str, tuple[float, float]]
    levels: Mapping[str, frozenset[str]]

    @classmethod
    def read(cls, folder: Path) -> Baselines | None:
        """The baselines of a version; None where it was registered without, or they cannot be read."""
        try:
            statistics, constraints = (
                json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))["features"]
                for name in ("statistics", "constraints")
            )
            numbers = {each["name"]: each["numerical_statistics"] for each in statistics if _is_number(each)}
            levels = {
                each["name"]: frozenset(each["string_constraints"]["domains"])
                for each in constraints
                if "string_constraints" in each
            }
            return cls({name: (each["min"], each["max"]) for name, each in numbers.items()}, levels)
        except (OSError, ValueError, KeyError, TypeError):
            return None


def strange_values(reference: pd.DataFrame, current: pd.DataFrame, baselines: Baselines) -> list[Strange]:
    """Each column and kind with such values, against the share of them in the reference (Fisher's exact test)."""
    found = []
    for name in map(str, current):
        for kind, mask_of in (("missing", _missing), ("out of range", _outside), ("not seen in training", _new)):
            masks = [mask_of(name, side[name], baselines) for side in (reference, current)]
            if not masks[1].any():
                continue
            counts = [int(mask.sum()) for mask in masks]
            table = [[counts[1], len(current) - counts[1]], [counts[0], len(reference) - counts[0]]]
            p = float(fisher_exact(table, alternative="greater").pvalue)
            shares = counts[1] / len(current), counts[0] / len(reference)
            example = str(current[name][masks[1]].iloc[0])
            found.append(Strange(name, kind, counts[1], *shares, p, example))
    return sorted(found, key=lambda each: each.p)


def values_check(strange: list[Strange], columns: int, what: str) -> Check:
    """The most unlikely of them, adjusted for how many columns were looked at in three ways."""
    name = f"values of {what}"
    if not strange:
        return Check(name, f"Every value of the {what} is of the kind that training has seen.", p=1.0)
    worst = strange[0]
    sentence = (
        f"{worst.share:.1%} of the {what} have a {worst.column} that is {worst.kind}, {worst.reference_share:.1%} at "
        f"registration (such as {worst.example})."
    ).replace("%", " %")
    return Check(name, sentence, min(1.0, worst.p * columns * 3), worst.share)


def _is_number(feature: Mapping[str, Any]) -> bool:
    return "numerical_statistics" in feature


def _missing(_name: str, values: pd.Series, _baselines: Baselines) -> np.ndarray:
    return values.isna().to_numpy()


def _outside(name: str, values: pd.Series, baselines: Baselines) -> np.ndarray:
    if name not in baselines.ranges:
        return np.zeros(len(values), dtype=bool)
    low, high = baselines.ranges[name]
    numbers = values.to_numpy(dtype=float)
    return (numbers < low) | (numbers > high)


def _new(name: str, values: pd.Series, baselines: Baselines) -> np.ndarray:
    if name not in baselines.levels:
        return np.zeros(len(values), dtype=bool)
    return (~values.isna() & ~values.astype(str).isin(baselines.levels[name])).to_numpy()
