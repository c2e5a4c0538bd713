"""What a shadow version answered to the requests that the production version answered, from what was captured of both.

It runs beside the command `compare`, not in a job of a pipeline. The same fields have the same answer, so answers are
paired by the fields of their rows, the first to the first where a row was asked for several times.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evaluation.bootstrap import confidence_interval, resamples
from evaluation.number_texts import counted
from monitoring.captured import Served, read_captured
from monitoring.version_difference import segments
from steps.artifacts import write_json
from steps.failure import JobArgumentParser, run_job
from steps.settings import JobSettings
from steps.settings import load as load_settings

WIDEST = 0.02  # of the interval of the mean difference, above which there is not enough data
Pair = tuple[Served, Served]


def main(arguments: Sequence[str]) -> None:
    """Compare two folders of captured events, and write what was found as JSON. Raises JobError."""
    parser = JobArgumentParser(prog="monitoring.shadow_comparison", description=__doc__)
    for name in ("production", "shadow", "settings", "output"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--moved", type=float, default=0.1)
    options = parser.parse_args(arguments)
    settings = load_settings(options.settings)
    sides = [
        read_captured(folder, {}, list(settings.data.inputs)).served for folder in (options.production, options.shadow)
    ]
    write_json(options.output, comparison(sides[0], sides[1], settings, options.moved))


def comparison(
    production: Sequence[Served], shadow: Sequence[Served], settings: JobSettings, limit: float
) -> dict[str, Any]:
    """How the answers to the same rows differ; a difference is shadow / production - 1.

    `enough` says whether there are as many pairs as monitoring.min_requests, and the mean difference is known within
    WIDEST; `why` says what is lacking. Without a pair there are counts alone.
    """
    found = pairs(production, shadow)
    counts = {"production": len(production), "shadow": len(shadow), "pairs": len(found), "limit": limit}
    if not found:
        return {**counts, "enough": False, "why": "no request was answered by both"}
    old, new = (np.array([each[side].predicted for each in found]) for side in (0, 1))
    change = new / old - 1
    moved = np.abs(change) > limit
    draws = np.array([(drawn @ change, drawn @ moved) for drawn in resamples(len(change))]) / len(change)
    mean, share = (confidence_interval(draws[:, column]) for column in (0, 1))
    why = _lacking(len(found), mean, settings.monitoring.min_requests)
    return {
        **counts,
        "enough": not why,
        "why": why,
        "mean": float(change.mean()),
        "mean_interval": list(mean),
        "quantiles": {str(each): float(np.quantile(change, each)) for each in (0.05, 0.5, 0.95)},
        "moved": int(moved.sum()),
        "moved_interval": list(share),
        "overlap": overlap(found),
        "segments": segments([each[0].values for each in found], old, change, moved, settings),
    }


def pairs(production: Sequence[Served], shadow: Sequence[Served]) -> list[Pair]:
    """The answers of both to the same rows, in the order of time; what only one has answered is in none."""
    waiting: dict[str, list[Served]] = defaultdict(list)
    for row in sorted(shadow, key=lambda each: each.when, reverse=True):
        waiting[_fields(row)].append(row)
    found = []
    for row in sorted(production, key=lambda each: each.when):
        others = waiting.get(_fields(row))
        if others and row.predicted:
            found.append((row, others.pop()))
    return found


def overlap(found: Sequence[Pair]) -> dict[str, Any] | None:
    """Of the pairs with two intervals: how many overlap, and the mean share of both that is common to them.

    None where no pair has two intervals, as with answers in CSV.
    """
    bounds = np.array([(a.lower, a.upper, b.lower, b.upper) for a, b in found])
    bounds = bounds[np.isfinite(bounds).all(axis=1)]
    if not len(bounds):
        return None
    common = np.minimum(bounds[:, 1], bounds[:, 3]) - np.maximum(bounds[:, 0], bounds[:, 2])
    whole = np.maximum(bounds[:, 1], bounds[:, 3]) - np.minimum(bounds[:, 0], bounds[:, 2])
    shares = np.divide(np.maximum(common, 0), whole, out=np.ones(len(bounds)), where=whole > 0)
    return {"pairs": len(bounds), "overlapping": int((common >= 0).sum()), "common": float(shares.mean())}


def _lacking(count: int, mean: tuple[float, float], least: int) -> str:
    if count < least:
        return f"{counted(count, 'pair is', 'pairs are')} fewer than {least:,} (monitoring.min_requests)"
    width = mean[1] - mean[0]
    return f"the mean difference is known within {width:.1%} only, not {WIDEST:.0%}" if width > WIDEST else ""


def _fields(row: Served) -> str:
    return json.dumps(row.values, sort_keys=True, default=str)


if __name__ == "__main__":
    run_job(main)
