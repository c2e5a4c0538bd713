"""Score the test rows: what each candidate and the champion predict, batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from evaluation import champion as champion_module
from evaluation import plain_boosting
from evaluation.champion import Champion
from evaluation.measurement import Scored
from steps import estimators
from steps import features as feature_module
from steps.evaluated_settings import EvaluatedSettings
from steps.failure import JobError
from steps.hosts import ALONE, Hosts
from steps.joined_hosts import Meeting
from steps.model import Model
from steps.part_files import read_parts
from steps.row_source import RowSource, shared_batches


@dataclass(frozen=True)
class Predicted:
    """candidates, bounds: what the model says of some test rows; champion: what the champion does."""

    candidates: dict[str, np.ndarray]
    bounds: tuple[np.ndarray, np.ndarray]
    champion: Champion

    @classmethod
    def share(
        cls, model: Model, rows: RowSource, champion: Path, hosts: Hosts, table: RowSource | None = None
    ) -> Predicted:
        """Of the test rows of this host, see `shared_batches`; `table`: the features of all, where they are there."""
        found: dict[str, list[np.ndarray]] = {name: [np.empty(0)] for name in (*model.candidates, "lower", "upper")}
        computed = (feature_module.transform(batch, model.features) for batch in shared_batches(rows, hosts))
        for batch in computed if table is None else table.batches():
            answers = {name: model.predict_features(batch, name) for name in model.candidates}
            lower, upper = model.interval_features(batch, answers[model.library])
            for name, values in {**answers, "lower": lower, "upper": upper}.items():
                found[name].append(values)
        whole = {name: np.concatenate(values) for name, values in found.items()}
        bounds = whole.pop("lower"), whole.pop("upper")
        return cls(whole, bounds, champion_module.score(champion, shared_batches(rows, hosts)))

    def merged(self, hosts: Hosts) -> Predicted:
        """Of all test rows, on every host."""
        lower, upper = map(hosts.gathered, self.bounds)
        candidates = {name: hosts.gathered(values) for name, values in self.candidates.items()}
        return Predicted(candidates, (lower, upper), champion_module.merged(self.champion, hosts))


def score(
    model: Model,
    rows: RowSource,
    table: RowSource,
    folders: tuple[Path, Path],
    settings: EvaluatedSettings,
    plain: Callable[[], np.ndarray],
    hosts: Hosts = ALONE,
    meeting: Meeting = nullcontext,
) -> Scored:
    """Predict the test rows; candidates of scikit-learn are fitted here, on `plain_boosting.MOST_ROWS` at most.

    `rows` are the test rows, `table` their features, `folders` those of the champion and of the training rows'
    features; `plain` gives what plain boosting predicts, which is under way. Of several hosts, this is the first, to
    which the others give what they have predicted. Raises JobError where a candidate predicts NaN or infinity.
    """
    predicted = Predicted.share(model, rows, folders[0], hosts, table if hosts.count == 1 else None)
    compared = {plain_boosting.NAME: plain()}
    if settings.estimators:
        train = read_parts(folders[1], plain_boosting.MOST_ROWS)
        compared |= estimators.predictions(settings.estimators, train, table, model.features)
    with meeting():
        predicted = predicted.merged(hosts)
    interval, predictions = predicted.bounds, {**predicted.candidates, **compared}
    named = {**predictions, "interval's lower bound": interval[0], "interval's upper bound": interval[1]}
    for name, values in named.items():
        wrong = int(np.count_nonzero(~np.isfinite(values)))
        if wrong:
            raise JobError(
                f"The candidate {name} predicts NaN or infinity for {wrong:,} of {len(rows):,} test rows: "
                "the model cannot be used, look at its features and hyperparameters."
            )
    actual = rows[model.features.target].to_numpy(dtype=float)
    return Scored(rows, actual, predictions, interval, predicted.champion, model.library)


def scored_rows(scored: Scored) -> Iterator[pd.DataFrame]:
    """The raw rows with `prediction_<candidate>` for each candidate, and the interval's bounds; batch by batch."""
    columns = {f"prediction_{name}": predicted for name, predicted in scored.predictions.items()}
    if scored.champion.predicted is not None:
        columns["prediction_champion"] = scored.champion.predicted
    columns |= dict(zip(("lower", "upper"), scored.interval, strict=True))
    for place, table in scored.batches():
        yield table.assign(**{name: values[place] for name, values in columns.items()})
