"""Score the test rows: what each candidate and the champion predict, batch by batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
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
from steps.features import Features
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
    champion: Path,
    hosts: Hosts = ALONE,
    meeting: Meeting = nullcontext,
) -> Scored:
    """Predict the test rows, whose features `table` holds, by the model's own candidates and by the champion.

    Of several hosts, this is the first, to which the others give what they have predicted. Raises JobError where a
    candidate predicts NaN or infinity.
    """
    predicted = Predicted.share(model, rows, champion, hosts, table if hosts.count == 1 else None)
    with meeting():
        predicted = predicted.merged(hosts)
    lower, upper = predicted.bounds
    _refuse_undefined({**predicted.candidates, "interval's lower bound": lower, "interval's upper bound": upper})
    actual = rows[model.features.target].to_numpy(dtype=float)
    return Scored(rows, actual, predicted.candidates, predicted.bounds, predicted.champion, model.library)


def with_compared(
    scored: Scored, table: RowSource, train: Path, features: Features, settings: EvaluatedSettings, plain: np.ndarray
) -> Scored:
    """Add what others are compared with: `plain`, what plain boosting predicts, and the candidates of scikit-learn.

    The latter are fitted here, on `plain_boosting.MOST_ROWS` of the features in the folder `train` at most. Raises
    JobError where a candidate predicts NaN or infinity.
    """
    compared = {plain_boosting.NAME: plain}
    if settings.estimators:
        learned = read_parts(train, plain_boosting.MOST_ROWS)
        compared |= estimators.predictions(settings.estimators, learned, table, features)
    _refuse_undefined(compared)
    return replace(scored, predictions={**scored.predictions, **compared})


def _refuse_undefined(predictions: Mapping[str, np.ndarray]) -> None:
    for name, values in predictions.items():
        wrong = int(np.count_nonzero(~np.isfinite(values)))
        if wrong:
            raise JobError(
                f"The candidate {name} predicts NaN or infinity for {wrong:,} of {len(values):,} test rows: "
                "the model cannot be used, look at its features and hyperparameters."
            )


def scored_rows(scored: Scored) -> Iterator[pd.DataFrame]:
    """The raw rows with `prediction_<candidate>` for each candidate, and the interval's bounds; batch by batch."""
    columns = {f"prediction_{name}": predicted for name, predicted in scored.predictions.items()}
    if scored.champion.predicted is not None:
        columns["prediction_champion"] = scored.champion.predicted
    columns |= dict(zip(("lower", "upper"), scored.interval, strict=True))
    for place, table in scored.batches():
        yield table.assign(**{name: values[place] for name, values in columns.items()})
