"""What the report says of the model's reasons: importance, sample rows, dependence, the line in plain words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from evaluation.dependence import Dependence, partial_dependence
from evaluation.explanation import Explanation, explain
from evaluation.labels import JOINED, Labels
from evaluation.measurement import Scored
from evaluation.plain_words import change, coefficients
from steps.columns import columns_of
from steps.model import Model
from steps.row_source import RowSource

DEPENDENCES, DEPENDENCE_ROWS = 6, 100
SAMPLES, SAMPLE_TERMS = (0.1, 0.5, 0.9), 6


@dataclass(frozen=True)
class Sample:
    """One explained row: what names it, its actual and predicted target, and its strongest contributions."""

    identity: str
    actual: float
    predicted: float
    terms: tuple[tuple[str, str, float], ...]  # feature, its value, its contribution on the training scale
    comparables: tuple[dict[str, Any], ...] = ()  # see steps.comparables

    def to_json(self) -> dict[str, Any]:
        """The sample as it stands in evaluation.json."""
        terms = [{"feature": name, "value": value, "contribution": term} for name, value, term in self.terms]
        told = {"comparables": list(self.comparables)} if self.comparables else {}
        return {"row": self.identity, "actual": self.actual, "predicted": self.predicted, "terms": terms, **told}


@dataclass(frozen=True)
class Reasons:
    """All explanations of one model; contributions are on the training scale."""

    explanation: Explanation
    dependences: Sequence[Dependence]
    samples: Sequence[Sample]
    linear: Sequence[str]
    typical: dict[str, str]  # feature -> its mean absolute contribution, as people say it

    def to_json(self) -> dict[str, Any]:
        """The section `explanation` of evaluation.json."""
        return {
            "method": "exact tree SHAP of the booster plus the Shapley values of the linear regression, where it "
            "starts from one; expected_value and the contributions of a row add up to its prediction on the training "
            "scale",
            "explained_rows": len(self.explanation.rows),
            "expected_value": self.explanation.expected,
            "importance": {str(name): float(value) for name, value in self.explanation.importance.items()},
            "typical": self.typical,
            "samples": [sample.to_json() for sample in self.samples],
            "linear_regression": list(self.linear),
        }


def reasons_of(model: Model, scored: Scored, features: RowSource, explained_rows: int, labels: Labels) -> Reasons:
    """Explain the challenger on the test rows, whose `features` these are, or on a draw of `explained_rows` of them."""
    explanation = explain(model, features, explained_rows)
    importance, table = explanation.importance, explanation.table
    # To change one of several features that say the same would make rows that cannot be.
    alone = [str(name) for name in importance.index if len(explanation.groups.get(str(name), ())) == 1]
    numeric = [name for name in alone if name in model.linear.coefficients]
    return Reasons(
        explanation=explanation,
        dependences=partial_dependence(model, table.head(DEPENDENCE_ROWS), scored.registered, numeric[:DEPENDENCES]),
        samples=[_sample(model, scored, explanation, share, labels) for share in SAMPLES],
        linear=coefficients(model, explanation, labels),
        typical={str(name): change(model, float(value)) for name, value in importance.items()},
    )


def _comparables(model: Model, row: pd.DataFrame) -> tuple[dict[str, Any], ...]:
    """What the model tells of one typed raw row, if it carries any rows to tell of."""
    if model.comparables is None:
        return ()
    types = {name: column.type for name, column in model.features.inputs.items()}
    return tuple(model.comparables.of(columns_of(row, types, types), 1, model.features)[0])


def _sample(model: Model, scored: Scored, explanation: Explanation, share: float, labels: Labels) -> Sample:
    """The explained row whose prediction is at that share of all explained predictions."""
    predicted = scored.challenger[explanation.rows]
    place = int(np.argsort(predicted, kind="stable")[round(share * (len(predicted) - 1))])
    terms = explanation.contributions.iloc[place]
    strongest = terms[terms.abs().sort_values(ascending=False, kind="stable").index[:SAMPLE_TERMS]]
    raw = scored.rows.at([explanation.rows[place]])
    derived = explanation.table.iloc[place]
    return Sample(
        identity=f"the row at {share:.0%} of the predictions".replace("%", " %"),
        actual=float(scored.actual[explanation.rows[place]]),
        predicted=float(predicted[place]),
        comparables=_comparables(model, raw),
        terms=tuple(
            (str(name), _values(explanation.groups.get(str(name), ()), raw.iloc[0], derived, labels), float(term))
            for name, term in strongest.items()
        ),
    )


def _values(names: Sequence[str], raw: pd.Series, derived: pd.Series, labels: Labels) -> str:
    """The values of a group's features in one row, those of columns as they were given."""
    found = {name: raw[name] if name in raw.index else derived[name] for name in names}
    return JOINED.join(labels.text(name, value) for name, value in found.items())
