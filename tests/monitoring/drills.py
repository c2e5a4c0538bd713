"""Drills on real predictions: half of the test part is the reference; windows of the other half are changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from monitoring.accuracy import accuracy_checks
from monitoring.checks import Check
from monitoring.input_drift import draws_for, input_drift, watched_features
from monitoring.sample import Sample
from monitoring.values import Baselines, strange_values, values_check
from profiling.drills import Columns, Drill, changed, drawn
from steps.settings import JobSettings

Change = Callable[[Sample, int, np.random.Generator], Sample]  # so many houses of the sample, drawn and changed
MONTH = 30
CHECKS = 6  # level, error, coverage, places, inputs, values


def by(text: str) -> Change:
    """The houses of `monitor --simulate`, with the predictions of those that they were drawn from."""
    drill, columns = Drill.parse(text), Columns("sqft_living", "zipcode")

    def change(pool: Sample, count: int, random: np.random.Generator) -> Sample:
        same = pool.take(drawn(pool.rows, count, drill, columns, random))
        rows = changed(same.rows.assign(price=same.actual), drill, columns, "price", random)
        return Sample(rows, rows["price"].to_numpy(dtype=float), same.predicted, same.lower, same.upper)

    return change


DRILLS: dict[str, tuple[Change, int, str]] = {  # the change, rows of the window, the check that must find it
    "price-level +3 %, 300 sales": (by("price-level=+3%"), 300, "level"),
    "price-level +5 %, 100 sales": (by("price-level=+5%"), 100, "level"),
    "unit-change": (by("unit-change"), 300, "inputs"),
    "new-zipcodes": (by("new-zipcodes"), 300, "values"),
    "covariate": (by("covariate"), 300, "inputs"),
}


class Drills:
    """Windows of one registered version; `folder` holds its evaluation, with reference/ and data_quality/."""

    def __init__(self, folder: Path, settings: JobSettings) -> None:
        self._settings = settings
        table = pd.read_parquet(folder / "reference" / "test.parquet")
        bounds = [table.pop(name).to_numpy(dtype=float) for name in ("prediction", "lower", "upper")]
        whole = Sample(table, table[settings.data.target].to_numpy(dtype=float), *bounds)
        first = np.random.default_rng(1).permutation(len(whole)) % 2 == 0
        self._reference, self._pool = whole.take(first), whole.take(~first)
        baselines = Baselines.read(folder / "data_quality")
        assert baselines is not None, json.dumps([path.name for path in folder.iterdir()])
        self._baselines = baselines

    def checks(self, change: Change, rows: int, seed: int, wanted: str | None = None) -> list[Check]:
        """The checks of a window of so many rows, drawn with this seed and changed; of one kind alone, if it is wanted.

        CHECKS share the false alarms, whichever of them are made.
        """
        random = np.random.default_rng(seed)
        sample = change(self._pool, rows, random)
        settings, names = self._settings.monitoring, watched_features(self._settings.data)
        found: list[Check] = []
        if wanted in (None, "level"):
            place = self._settings.evaluation.map.group if self._settings.evaluation.map else None
            found += accuracy_checks(self._reference, sample, settings, place, "new sales")
        if wanted in (None, "inputs"):
            dates = self._reference.rows[str(self._settings.data.date)]
            draws = draws_for(settings.false_alarms(MONTH))
            drift = input_drift(self._reference.rows, sample.rows, names, dates, draws)
            found.append(Check("inputs of new sales", "The inputs are others.", drift.p))
        if wanted in (None, "values"):
            strange = strange_values(self._reference.rows[names], sample.rows[names], self._baselines)
            found.append(values_check(strange, len(names), "new sales"))
        return found

    @property
    def level(self) -> float:
        """At which each check is judged."""
        return self._settings.monitoring.false_alarms(MONTH) / CHECKS

    def found(self, name: str, seeds: int) -> int:
        """In how many of so many windows the check that must find a change does."""
        change, rows, wanted = DRILLS[name]
        windows = (self.checks(change, rows, seed, wanted) for seed in range(seeds))
        return sum(wanted in found_by(checks, self.level) for checks in windows)

    def false_alarms(self, months: int) -> int:
        """In how many unchanged months any check finds a change."""
        windows = (self.checks(by("none"), 300, 1000 + seed) for seed in range(months))
        return sum(bool(found_by(checks, self.level)) for checks in windows)


def found_by(checks: Sequence[Check], level: float) -> set[str]:
    """The first words of the checks that found a change."""
    return {check.name.partition(" ")[0] for check in checks if check.outcome(level) == "changed"}
