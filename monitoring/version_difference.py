"""What changes where one version of the model takes another's place: the same rows, answered and explained by both.

Nothing of this needs an actual price. It runs beside the command `diff`, not in a job of a pipeline.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from evaluation.explanation import LIMITS
from evaluation.number_texts import counted
from evaluation.segments import groupings
from monitoring.request_rows import RequestRow, captured_rows, rows_of_test_part
from steps.archive import load_archive
from steps.artifacts import write_json
from steps.attribution import attributed, grouped, groups_of
from steps.failure import JobArgumentParser, JobError, run_job
from steps.model import Model
from steps.plain_values import convert_values
from steps.prediction_request import JSON, RequestFault, read_request
from steps.row_source import InMemory
from steps.settings import JobSettings
from steps.settings import load as load_settings

MOST_EXPLAINED = 1000  # of the rows that moved: their contributions take the most time
LARGEST, REASONS = 10, 3
LEVEL = "(level of all predictions)"


@dataclass(frozen=True)
class Answers:
    """What one version says to the rows: NaN where it refuses one, with the first refusal as an example."""

    model: Model
    predicted: np.ndarray
    refused: int
    example: str


def main(arguments: Sequence[str]) -> None:
    """Compare two archives on captured requests, or on a test part; write the difference as JSON. Raises JobError."""
    parser = JobArgumentParser(prog="monitoring.version_difference", description=__doc__)
    for name in ("old", "new", "rows", "settings", "output"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--moved", type=float, default=0.1)
    options = parser.parse_args(arguments)
    settings = load_settings(options.settings)
    old, new = load_archive(options.old), load_archive(options.new)
    test = sorted(options.rows.glob("*.parquet"))
    rows = (
        rows_of_test_part(test[0], settings.data)
        if test
        else captured_rows(options.rows, list(new.features.inputs), settings.data)
    )
    write_json(options.output, difference(old, new, rows, settings, options.moved))


def difference(
    old: Model, new: Model, rows: Sequence[RequestRow], settings: JobSettings, limit: float
) -> dict[str, Any]:
    """How the predictions of the same rows differ: how many move by more than `limit`, whose, and why.

    A change is new / old - 1. Rows that a version refuses are counted, and compared with nothing. JobError where no
    row is answered by both.
    """
    values = [row.values for row in rows]
    before, after = answers(old, values), answers(new, values)
    both = np.flatnonzero(np.isfinite(before.predicted) & np.isfinite(after.predicted) & (before.predicted != 0))
    if not len(both):
        said = after.example or before.example
        asked = counted(len(rows), "row", "rows")
        raise JobError(f"Of {asked}, none is answered by both versions: {said or 'there is none'}")
    change = after.predicted[both] / before.predicted[both] - 1
    moved = np.abs(change) > limit
    explained = _explained(before, after, [values[place] for place in both], change, moved)
    order = np.argsort(-np.abs(change), kind="stable")[:LARGEST]
    largest = [
        {
            "row": rows[both[place]].name,
            "old": float(before.predicted[both[place]]),
            "new": float(after.predicted[both[place]]),
            "change": float(change[place]),
            "reasons": explained.reasons(place),
        }
        for place in order
        if moved[place]
    ]
    return {
        "rows": len(rows),
        "compared": len(both),
        "limit": limit,
        "moved": int(moved.sum()),
        "up": int((moved & (change > 0)).sum()),
        "quantiles": {str(share): float(np.quantile(change, share)) for share in (0.05, 0.5, 0.95)},
        "largest_change": float(change[np.argmax(np.abs(change))]),
        "refused": {
            name: {"rows": each.refused, "example": each.example} for name, each in (("old", before), ("new", after))
        },
        "segments": segments([values[place] for place in both], before.predicted[both], change, moved, settings),
        "scale": new.features.target_scale,
        "features": explained.summary(),
        "largest": largest,
    }


def answers(model: Model, values: Sequence[Mapping[str, Any]]) -> Answers:
    """What a version answers to rows, each as it would be asked for alone."""
    predicted = np.full(len(values), np.nan)
    refused: list[str] = []

    def ask(start: int, end: int) -> None:
        try:
            columns, count, _ = _read(model, values[start:end])
        except RequestFault as fault:
            if end - start == 1:
                refused.append(fault.message)
                return
            middle = (start + end) // 2
            ask(start, middle)
            ask(middle, end)
            return
        predicted[start:end] = model.answer(columns, count)[0]

    if values:
        ask(0, len(values))
    return Answers(model, predicted, len(refused), refused[0] if refused else "")


def segments(
    values: Sequence[Mapping[str, Any]],
    predicted: np.ndarray,
    change: np.ndarray,
    moved: np.ndarray,
    settings: JobSettings,
) -> list[dict[str, Any]]:
    """By the segments of the YAML: rows, how many moved, and the median change of each; that with most moved first.

    In place of the target, which no request has, stands the old prediction.
    """
    found = []
    for parts in groupings(InMemory(_typed(values, predicted, settings)), settings):
        column = f"predicted {parts.column}" if parts.column == settings.data.target else parts.column
        for code, label in enumerate(parts.names):
            chosen = parts.codes == code
            if chosen.any():
                found.append(
                    {
                        "segment": f"{column} {label}",
                        "rows": int(chosen.sum()),
                        "moved": int(moved[chosen].sum()),
                        "median": float(np.median(change[chosen])),
                    }
                )
    return sorted(found, key=lambda each: -each["moved"] / each["rows"])


@dataclass(frozen=True)
class Explained:
    """The differences of contributions of the rows that moved: one column a group of features, on the training scale.

    `places` are the rows' places among all that were compared.
    """

    differences: pd.DataFrame
    places: Sequence[int]

    def summary(self) -> list[dict[str, Any]]:
        """The groups by how much they move the rows that moved: mean absolute and mean difference."""
        size = self.differences.abs().mean().sort_values(ascending=False, kind="stable")
        mean = self.differences.mean()
        return [{"feature": str(name), "size": float(size[name]), "mean": float(mean[name])} for name in size.index]

    def reasons(self, place: int) -> list[dict[str, Any]]:
        """The strongest groups of one row; none where it was not explained."""
        if place not in self.places:
            return []
        terms = self.differences.iloc[list(self.places).index(place)]
        chosen = terms.abs().sort_values(ascending=False, kind="stable").index[:REASONS]
        return [{"feature": str(name), "difference": float(terms[name])} for name in chosen if terms[name]]


def _explained(
    before: Answers, after: Answers, values: Sequence[Mapping[str, Any]], change: np.ndarray, moved: np.ndarray
) -> Explained:
    """Explain what moved the most by both models, and take one from the other.

    Where features say the same in either version they are one group, so that weight that only shifts between them is
    no reason. Both are counted from the mean of the same rows.
    """
    order = np.argsort(-np.abs(change), kind="stable")
    places = [int(place) for place in order if moved[place]][:MOST_EXPLAINED]
    if not places or before.model.features.target_scale != after.model.features.target_scale:
        return Explained(pd.DataFrame(), [])
    tables = [_features(each.model, values) for each in (before, after)]
    union = tables[1].join(tables[0][[name for name in tables[0] if name not in tables[1]]])
    levels = {name for each in (before, after) for name in each.model.features.levels}
    groups = groups_of(union, [name for name in union if name in levels])
    sides = []
    for each, table in zip((before, after), tables, strict=True):
        average = each.model.start.terms(table).mean()
        expected, single, limits = attributed(each.model, table.iloc[places], average)
        side = grouped(single, groups)
        side[LEVEL], side[LIMITS] = expected, limits
        sides.append(side)
    differences = (sides[1] - sides[0]).reset_index(drop=True)
    return Explained(differences.loc[:, (differences.abs() > 1e-9).any()], places)


def _features(model: Model, values: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    columns, count, _ = _read(model, values)
    return pd.DataFrame(model.features.of_columns(columns, count), columns=list(model.features.names))


def _read(model: Model, values: Sequence[Mapping[str, Any]]) -> Any:
    body = json.dumps({"instances": list(values)})
    return read_request(body, JSON, model.features.inputs, model.features.others)


def _typed(values: Sequence[Mapping[str, Any]], predicted: np.ndarray, settings: JobSettings) -> pd.DataFrame:
    """All columns of the data, typed, with the prediction for the target; what cannot be read is missing."""
    data = settings.data
    columns = {
        name: predicted if name == data.target else convert_values([row.get(name) for row in values], column)[0]
        for name, column in data.columns.items()
    }
    return pd.DataFrame(columns)


if __name__ == "__main__":
    run_job(main)
