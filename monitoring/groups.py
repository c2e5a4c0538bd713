"""Groups of rows, divided alike at registration and now."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from evaluation.segments import Grouping, groupings
from monitoring.accuracy import level_change
from monitoring.sample import Sample
from monitoring.statistics import interval_of
from steps.row_source import InMemory
from steps.settings import JobSettings

FEWEST = 20  # rows of a group, then and now, below which its level is not given


def grouped_by_place(reference: Sample, current: Sample, column: str | None) -> Grouping | None:
    """The places of the reference's rows and then of the current ones; None without such a column."""
    if column is None:
        return None
    both = pd.concat([reference.rows[column], current.rows[column]], ignore_index=True)
    codes, names = pd.factorize(both.astype(object), sort=True)
    return Grouping(column, tuple(map(str, names)), np.asarray(codes))


def segment_levels(reference: Sample, current: Sample, settings: JobSettings) -> list[dict[str, Any]]:
    """Each segment of the YAML: its rows, its MAPE then and now, and how its level has changed, with a 95 % interval.

    Bands of quantiles are those of both samples together.
    """
    both = pd.concat([reference.rows, current.rows], ignore_index=True)
    found = []
    for grouping in groupings(InMemory(both), settings):
        for place, name in enumerate(grouping.names):
            masks = grouping.codes[: len(reference)] == place, grouping.codes[len(reference) :] == place
            sides = [sample.take(mask) for sample, mask in zip((reference, current), masks, strict=True)]
            entry: dict[str, Any] = {"column": grouping.column, "name": name, "rows": len(sides[1])}
            ratios = [side.known_ratios for side in sides]
            if min(map(len, ratios)) >= FEWEST:
                low, high = interval_of(level_change, *ratios)
                entry |= {
                    "mape": float(np.nanmean(sides[1].errors)),
                    "mape_at_registration": float(np.nanmean(sides[0].errors)),
                    "level_change": level_change(*ratios),
                    "interval": [low, high],
                }
            found.append(entry)
    return found
