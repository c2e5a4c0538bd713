"""Groups of test rows, as the section evaluation.segments of the YAML declares them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from steps.derived import with_derived
from steps.evaluated_settings import EvaluatedSettings
from steps.evaluation_settings import Segment
from steps.failure import JobError
from steps.row_source import RowSource


@dataclass(frozen=True)
class Grouping:
    """The segments of one column: their names in order, and the place of each row's segment, -1 for none."""

    column: str
    names: tuple[str, ...]
    codes: np.ndarray

    @property
    def counts(self) -> np.ndarray:
        """How many rows each segment has."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.names))


def groupings(rows: RowSource, settings: EvaluatedSettings) -> list[Grouping]:
    """Divide typed raw rows by each declared column; JobError where a column is missing in them."""
    segments, data = settings.evaluation.segments, settings.data
    if not segments:
        return []
    absent = [name for name in segments if name not in rows.names and name not in data.derived]
    if absent:
        raise JobError(
            f"The test rows have no column {absent[0]}, by which evaluation.segments divides them: "
            "change evaluation.segments in the YAML."
        )
    derived = {name: text for name, text in data.derived.items() if any(key in data.derived for key in segments)}
    wanted = rows.names if derived else list(segments)
    tables = [with_derived(batch, derived, data.types)[list(segments)] for batch in rows.batches(wanted)]
    complete = pd.concat(tables)
    for name in segments:
        if data.types.get(name) == "boolean":
            complete[name] = complete[name].map({1: True, 0: False})
    return [grouping(name, complete[name], segment) for name, segment in segments.items()]


def grouping(column: str, values: pd.Series, segment: Segment) -> Grouping:
    """Divide the rows by one column's values; missing values belong to no segment."""
    if segment.quantiles or segment.edges:
        return _bands(column, values.to_numpy(dtype=float), segment)
    places, distinct = pd.factorize(values)
    labels = np.array([_name(value)[: segment.prefix or None] for value in distinct], dtype=object)
    codes, names = pd.factorize(labels, sort=True)
    named = tuple(f"{name}..." if segment.prefix else str(name) for name in names)
    return Grouping(column, named, np.append(codes, -1)[places])  # -1, a missing value, finds the -1 at the end


def _bands(column: str, values: np.ndarray, segment: Segment) -> Grouping:
    known = values[np.isfinite(values)]
    if not len(known):
        return Grouping(column, (), np.full(len(values), -1))
    edges = np.array(segment.edges, dtype=float)
    if segment.quantiles:
        edges = np.unique(np.quantile(known, np.arange(1, segment.quantiles) / segment.quantiles))
    codes = np.where(np.isfinite(values), np.searchsorted(edges, values, side="right"), -1)
    texts = [f"{edge:,.0f}" if abs(edge) >= 1000 else f"{edge:g}" for edge in edges]
    between = [f"{low} to {high}" for low, high in pairwise(texts)]
    return Grouping(column, (f"below {texts[0]}", *between, f"{texts[-1]} and more"), codes)


def _name(value: object) -> str:
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, (float, np.floating)) else str(value)
