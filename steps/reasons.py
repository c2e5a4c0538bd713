"""Why a prediction is what it is: what each feature adds to it, in the target's unit.

The contributions are exact Shapley values on the training scale. Where that is a logarithm, each gets its share of the
whole difference in the target's unit: the integral of exp along the straight line from what is expected to the
prediction (Aumann-Shapley values; Sundararajan et al., Axiomatic attribution for deep networks, ICML 2017).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from steps.attribution import BLOCK, attributed, average_terms, grouped, groups_of
from steps.comparables import plain
from steps.linear import LinearModel
from steps.shard import Shard
from steps.stored_table import Table

if TYPE_CHECKING:
    from steps.columns import Columns
    from steps.model import Model

METADATA = "reasons"  # the key of model.json
MOST_ROWS = 100  # of a request: Shapley values take milliseconds a row
MOST = 10  # reasons of a row, the strongest ones; what is left over is one more
OTHERS = "all others"


@dataclass(frozen=True)
class Basis:
    """What reasons are counted from: the line's mean terms over the training rows, and features that say the same."""

    average: dict[str, float]
    groups: dict[str, tuple[str, ...]]

    @classmethod
    def of(cls, line: LinearModel, table: Table, categories: Sequence[str], shard: Shard | None = None) -> Basis:
        """The basis of a line, or of what boosting starts from, over the features of the training rows.

        With a shard the table is one host's: the terms are those of all hosts, the groups are looked for in its rows.
        """
        average = {str(name): float(value) for name, value in average_terms(line, table, shard).items()}
        return cls(average, groups_of(table.iloc[:BLOCK], categories))

    def to_json(self) -> dict[str, Any]:
        """As it stands in model.json."""
        return {"average_terms": self.average, "groups": {name: list(group) for name, group in self.groups.items()}}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Basis:
        """Build it from `to_json`'s document."""
        return cls(document["average_terms"], {name: tuple(group) for name, group in document["groups"].items()})


def reasons(model: Model, basis: Basis, columns: Columns, rows: int, scores: np.ndarray) -> list[dict[str, Any]]:
    """For each typed raw row: `expected` without knowing it, and `reasons`, the strongest first.

    A reason is {"feature", "value", "adds"}: a feature, or several that say the same; the value of the first, where it
    is a column; what it adds to the prediction. `expected` and all that the reasons add is the row's score, all in the
    target's unit.
    """
    names = list(model.features.names)
    table = pd.DataFrame(model.features.of_columns(columns, rows), columns=names)
    expected, single, _ = attributed(model, table, pd.Series(basis.average)[names])
    terms = grouped(single, basis.groups)
    usual = float(np.exp(expected)) if model.features.target_scale == "log" else expected
    whole = model.features.scaled(scores) - expected  # with what the limits of the range hold
    slope = usual if model.features.target_scale == "log" else 1.0  # where there is no difference to share
    shares = np.divide(scores - usual, whole, out=np.full(len(scores), slope), where=np.abs(whole) > 1e-9)
    found = []
    for row in range(rows):
        adds = terms.iloc[row] * shares[row]
        strongest = adds[adds.abs().sort_values(ascending=False, kind="stable").index[:MOST]]
        told = [
            {
                "feature": str(name),
                "value": _value(model, columns, basis.groups[str(name)][0], row),
                "adds": float(each),
            }
            for name, each in strongest.items()
        ]
        rest = float(scores[row] - usual - strongest.sum())
        found.append({"expected": usual, "reasons": [*told, {"feature": OTHERS, "value": None, "adds": rest}]})
    return found


def _value(model: Model, columns: Columns, name: str, row: int) -> Any:
    """The value of a column as JSON has it; None of a feature that is none: people do not think in its values."""
    return plain(columns[name][row], model.features.inputs[name].type) if name in columns else None
