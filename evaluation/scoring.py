"""Score the test rows: what each candidate and the champion predict, batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from evaluation import champion as champion_module
from evaluation import plain_boosting
from evaluation.measurement import Scored
from steps import estimators
from steps.evaluated_settings import EvaluatedSettings
from steps.failure import JobError
from steps.model import Model
from steps.part_files import read_parts
from steps.row_source import RowSource


def score(
    model: Model,
    rows: RowSource,
    table: RowSource,
    folders: tuple[Path, Path],
    settings: EvaluatedSettings,
    plain: Callable[[], np.ndarray],
) -> Scored:
    """Predict the test rows; candidates of scikit-learn are fitted here, on `plain_boosting.MOST_ROWS` at most.

    `rows` are the test rows, `table` their features, `folders` those of the champion and of the training rows'
    features; `plain` gives what plain boosting predicts, which is under way. Raises JobError where a candidate predicts
    NaN or infinity.
    """
    predictions, interval = _predicted(model, table)
    champion = champion_module.score(folders[0], rows)
    predictions[plain_boosting.NAME] = plain()
    if settings.estimators:
        train = read_parts(folders[1], plain_boosting.MOST_ROWS)
        predictions |= estimators.predictions(settings.estimators, train, table, model.features)
    named = {**predictions, "interval's lower bound": interval[0], "interval's upper bound": interval[1]}
    for name, predicted in named.items():
        wrong = int(np.count_nonzero(~np.isfinite(predicted)))
        if wrong:
            raise JobError(
                f"The candidate {name} predicts NaN or infinity for {wrong:,} of {len(rows):,} test rows: "
                "the model cannot be used, look at its features and hyperparameters."
            )
    actual = rows[model.features.target].to_numpy(dtype=float)
    return Scored(rows, actual, predictions, interval, champion, model.library)


def scored_rows(scored: Scored) -> Iterator[pd.DataFrame]:
    """The raw rows with `prediction_<candidate>` for each candidate, and the interval's bounds; batch by batch."""
    columns = {f"prediction_{name}": predicted for name, predicted in scored.predictions.items()}
    if scored.champion.predicted is not None:
        columns["prediction_champion"] = scored.champion.predicted
    columns |= dict(zip(("lower", "upper"), scored.interval, strict=True))
    for place, table in scored.batches():
        yield table.assign(**{name: values[place] for name, values in columns.items()})


def _predicted(model: Model, table: RowSource) -> tuple[dict[str, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """What each candidate of the model predicts, and the bounds of the interval."""
    found: dict[str, list[np.ndarray]] = {name: [] for name in (*model.candidates, "lower", "upper")}
    for batch in table.batches():
        answers = {name: model.predict_features(batch, name) for name in model.candidates}
        answers |= dict(zip(("lower", "upper"), model.interval_features(batch, answers[model.library]), strict=True))
        for name, values in answers.items():
            found[name].append(values)
    whole = {name: np.concatenate(values) for name, values in found.items()}
    return {name: whole[name] for name in model.candidates}, (whole["lower"], whole["upper"])
