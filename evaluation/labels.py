"""What people call the features, and how they read their values and their differences."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from steps.data_settings import DataSettings

JOINED = " + "  # between features that say the same: see evaluation/explanation.py
LOGARITHM = re.compile(r"\s*log\s*\((?P<inner>.*)\)\s*", re.DOTALL)


@dataclass(frozen=True)
class Labels:
    """`names` are evaluation.labels of the YAML; a feature without one is called as it is.

    logarithms: learned features that are the logarithm of something, which is what people read.
    truths: features that are yes or no. units: of the columns.
    """

    names: Mapping[str, str]
    logarithms: frozenset[str] = frozenset()
    truths: frozenset[str] = frozenset()
    units: Mapping[str, str] | None = None

    @classmethod
    def of(cls, data: DataSettings, names: Mapping[str, str]) -> Labels:
        """From the sections data and evaluation.labels."""
        by_default = "log" if data.target_scale == "log" else ""
        learned = {name: feature.value or by_default for name, feature in data.learned.items()}
        return cls(
            names,
            frozenset(name for name, value in learned.items() if value == "log" or _is_logarithm(value)),
            frozenset(name for name, kind in data.types.items() if kind == "boolean"),
            {name: column.unit for name, column in data.columns.items() if column.unit},
        )

    def name(self, feature: str) -> str:
        """A feature, or several that say the same, as people call it."""
        return JOINED.join(self.names.get(each, each) for each in feature.split(JOINED))

    def read(self, feature: str, value: Any) -> Any:
        """A value of a feature as people read it: the exponential of a logarithm, yes and no."""
        if feature in self.truths and value in (0, 1):
            return "yes" if value else "no"
        return self.numbers(feature, value)

    def numbers(self, feature: str, values: Any) -> Any:
        """A value, or an array of them, as numbers on an axis: the exponential of logarithms; yes is 1."""
        return np.exp(values) if feature in self.logarithms else values

    def text(self, feature: str, value: Any) -> str:
        """The same as a text with the unit of a column."""
        shown = self.read(feature, value)
        if not isinstance(shown, (float, np.floating)):
            return str(shown)
        unit = (self.units or {}).get(feature)
        return f"{shown:,.5g}{f' {unit}' if unit else ''}"

    def more(self, feature: str, difference: float) -> str:
        """So much more of a feature, as a sentence begins: "living area: 918 sqft more"."""
        if feature in self.truths:
            return f"{self.name(feature)}: yes instead of no"
        if feature in self.logarithms:
            return f"{self.name(feature)}: {np.expm1(difference):.0%} more".replace("%", " %")
        unit = (self.units or {}).get(feature)
        return f"{self.name(feature)}: {difference:,.3g}{f' {unit}' if unit else ''} more"

    def listed(self, features: Sequence[str]) -> list[str]:
        """Each by its label."""
        return [self.name(feature) for feature in features]


def _is_logarithm(expression: str) -> bool:
    """Whether an expression is one logarithm, and nothing beside it."""
    found = LOGARITHM.fullmatch(expression)
    if found is None:
        return False
    depth = 0
    for letter in found["inner"]:
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if depth < 0:  # the bracket that the logarithm has opened is closed before the end
            return False
    return depth == 0
