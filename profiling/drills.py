"""Houses changed as a drill says: what a window looks like when the world has moved, and which check is to find it."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from steps.settings import DataSettings

KINDS = ("price-level", "schema", "unit-change", "new-zipcodes", "covariate", "label-delay", "none")
# The first words of the checks of which one is to find it; none where nothing is to be found.
FINDERS = {
    "price-level": ("level",),
    "schema": ("schema",),
    "unit-change": ("inputs", "values"),
    "new-zipcodes": ("values",),
    "covariate": ("inputs",),
    "label-delay": (),
    "none": (),
}
SQUARE_FEET = 10.764  # in a square metre
LARGER = 3.0  # how many times as often a house that is larger than the median comes
NEW_PLACES, EARLY = 0.05, 0.2  # shares: of houses in a new place, and of prices that are known early
PERCENT = re.compile(r"([+-]?\d+(?:\.\d+)?)%")
NOT_SEEN = "98999"


@dataclass(frozen=True)
class Drill:
    """What changes; share is by how much every house is dearer, for price-level alone."""

    kind: str
    share: float = 0.0

    @classmethod
    def parse(cls, text: str) -> Drill:
        """Read `price-level=+5%` or the name of another drill; ValueError says what is wrong."""
        kind, _, given = text.partition("=")
        if kind not in KINDS:
            raise ValueError(f"{kind!r} is not a drill: choose from price-level=+5%, {', '.join(KINDS[1:])}")
        if kind != "price-level":
            if given:
                raise ValueError(f"{kind} takes no value, and {given!r} is given")
            return cls(kind)
        found = PERCENT.fullmatch(given)
        if found is None or float(found[1]) <= -100:
            raise ValueError(f"price-level={given} is not a change of all prices such as price-level=+5%")
        return cls(kind, float(found[1]) / 100)

    @property
    def finders(self) -> tuple[str, ...]:
        """The first words of the checks of which one is to be raised; none where no check is to be."""
        return FINDERS[self.kind] if self.kind != "price-level" or self.share else ()


@dataclass(frozen=True)
class Columns:
    """Which columns a drill changes: a size, and a place where there is one."""

    size: str
    place: str | None

    @classmethod
    def of(cls, data: DataSettings, place: str | None) -> Columns:
        """The place that the YAML names (evaluation.map.group), and the living area, or the number of widest range."""
        kinds = ("number", "integer")
        numbers = [name for name, column in data.inputs.items() if column.type in kinds and name != place]
        if not numbers:
            raise ValueError("the YAML has no column of numbers, which this drill would change")
        living = [name for name in numbers if "living" in name]
        widest = max(numbers, key=lambda name: (data.columns[name].range or (0, 0))[1] or 0)
        return cls((living or [widest])[0], place)


def drawn(pool: pd.DataFrame, count: int, drill: Drill, columns: Columns, random: np.random.Generator) -> np.ndarray:
    """Places of `count` rows of the pool, with replacement: each as likely as any other, but for covariate."""
    if drill.kind != "covariate":
        return random.choice(len(pool), count)
    sizes = pool[columns.size]
    weight = np.where(sizes > sizes.median(), LARGER, 1.0)
    return random.choice(len(pool), count, p=weight / weight.sum())


def changed(
    rows: pd.DataFrame, drill: Drill, columns: Columns, target: str, random: np.random.Generator
) -> pd.DataFrame:
    """As many rows of the same columns, changed. ValueError where the data has nothing that the drill changes."""
    if drill.kind == "price-level":
        return rows.assign(**{target: rows[target] * (1 + drill.share)})
    if drill.kind == "unit-change":
        metres = rows[columns.size] / SQUARE_FEET
        whole = pd.api.types.is_integer_dtype(rows[columns.size])
        return rows.assign(**{columns.size: metres.round().astype("int64") if whole else metres})
    if drill.kind == "new-zipcodes":
        if columns.place is None:
            raise ValueError("the YAML names no place (evaluation.map.group), so no house can lie in a new one")
        there = random.random(len(rows)) < NEW_PLACES
        return rows.assign(**{columns.place: rows[columns.place].astype(object).where(~there, NOT_SEEN)})
    return rows


def early(rows: pd.DataFrame, drill: Drill, random: np.random.Generator) -> np.ndarray:
    """Which rows have a price by now."""
    share = EARLY if drill.kind == "label-delay" else 1.0
    known: np.ndarray = random.random(len(rows)) < share
    return known
