"""What would help the model most: more rows, more columns, or tuning; measured on the test rows.

More rows: by how much HistGradientBoosting, which is quick, is better with all training rows than with half of them;
twice as many rows again help less than that. Tuning: by how much another candidate is better than the registered model
on the same columns. Where neither helps, what is left lies in columns that nobody has given. Where fewer rows would do,
it says how few.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from evaluation import plain_boosting
from evaluation.bootstrap import confidence_interval, metric_draws
from steps.data_settings import DataSettings
from steps.lean_imports import lean
from steps.other_libraries import XGBOOST
from steps.row_source import InMemory, RowSource, even_places
from steps.workers import meanwhile

Draws = Mapping[str, Mapping[str, np.ndarray]]  # see `metric_draws`
ROWS, COLUMNS, TUNING = "more rows", "more columns", "tuning"
SAME = 0.01  # by less of the RMSE two errors differ that count as the same
FEWEST_ROWS = 1000  # with which that is tried
MOST_JUDGED = 50_000  # test rows by which all this is measured; of more an even draw


def what_helps(
    train: RowSource,
    rows: RowSource,
    actual: np.ndarray,
    predictions: Mapping[str, np.ndarray],
    of_half: np.ndarray,
    data: DataSettings,
    registered: str = XGBOOST,
    draws: Draws | None = None,
) -> dict[str, Any]:
    """Measure each on typed raw training and test rows; `predictions` are those of the candidates for the test rows.

    One of them is `registered`. `of_half` is what `from_fewer` says, and `draws` are those of `predictions` on the
    resamples of all test rows, where they are known.

    Returns rows: with half of the training rows and with all, the RMSE, and the share by which it fell with its 95 %
    interval; tuning: the best other candidate, and the share by which its RMSE is lower than the registered model's,
    with its interval too; most, what helps most; and sentence, for people. A gain counts whose interval is above 0.
    Where half of the rows are enough, also enough: the fewest rows that are, see `_enough`. Of many training rows all
    this is measured on those that plain boosting learns from; of many test rows what more rows are worth is judged by
    MOST_JUDGED, and rows says `judged`.
    """
    judged = even_places(len(rows), MOST_JUDGED)
    some = {name: values[judged] for name, values in predictions.items()}
    learned = min(len(train), plain_boosting.MOST_ROWS)
    half = _half(learned)
    of_some = _errors(actual[judged], {**some, "half": of_half})
    of_all = of_some if len(judged) == len(rows) else _errors(actual, predictions, draws)
    others = [name for name in predictions if name != registered]
    best = min(others, key=of_all[1].__getitem__)
    grown = _gain(*of_some, plain_boosting.NAME, "half")
    tuned = _gain(*of_all, best, registered)
    gains = {ROWS: grown, TUNING: tuned}
    sure = {name: each["value"] for name, each in gains.items() if each["lower"] > 0}
    most = max(sure, key=sure.__getitem__) if sure else COLUMNS
    counts = half, learned
    rmse = [of_some[1][name] for name in ("half", plain_boosting.NAME)]
    told = {} if len(judged) == len(rows) else {"judged": len(judged)}
    found = {
        "rows": {"half": half, "all": learned, "rmse": rmse, **grown, **told},
        "tuning": {"candidate": best, **tuned},
        "most": most,
        "sentence": _sentence(most, grown, tuned, best, counts),
    }
    if grown["upper"] < SAME and half >= FEWEST_ROWS:
        of_fewer = partial(from_fewer, train, rows, data)
        plain = some[plain_boosting.NAME]
        found["enough"] = _enough(of_fewer, actual[judged], plain, grown, (*counts, len(train)))
    return found


def _errors(
    actual: np.ndarray, predictions: Mapping[str, np.ndarray], draws: Draws | None = None
) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """The RMSE of each model on each resample, and on the rows as they are."""
    draws = draws or metric_draws(actual, predictions)
    return {name: draws[name]["rmse"] for name in predictions}, {
        name: float(np.sqrt(np.mean((found - actual) ** 2))) for name, found in predictions.items()
    }


def from_all_and_half(
    train: RowSource, rows: RowSource, data: DataSettings, processes: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """What a plain boosting says of the test rows, and what `from_fewer` says of those that are judged.

    Both learn at once, in so many processes: one where this process has used OpenMP, see `in_parallel`.
    """
    learned = InMemory(train.at(even_places(len(train), plain_boosting.MOST_ROWS)))
    with lean():
        import sklearn.ensemble  # noqa: F401 - half a second, once for both
    with meanwhile([lambda: from_fewer(learned, rows, data)], processes) as (of_half,):
        return plain_boosting.predictions(learned, rows, data), of_half()


def from_fewer(train: RowSource, rows: RowSource, data: DataSettings, count: int | None = None) -> np.ndarray:
    """What a plain boosting says of the test rows that are judged; `count` training rows teach it, by default half."""
    learned = even_places(len(train), plain_boosting.MOST_ROWS)
    order = np.random.default_rng(0).permutation(len(learned))
    drawn = learned[order[: count or _half(len(learned))]]
    judged = InMemory(rows.at(even_places(len(rows), MOST_JUDGED)))
    return plain_boosting.predictions(InMemory(train.at(drawn)), judged, data)


def _half(learned: int) -> int:
    return max(1, learned // 2)


def _enough(
    of_fewer: Callable[[int], np.ndarray],
    actual: np.ndarray,
    predicted: np.ndarray,
    grown: dict[str, float],
    counts: tuple[int, int, int],
) -> dict[str, Any]:
    """The fewest rows, by halves, from which the plain boosting learns as much: its RMSE is higher by less than SAME.

    `grown` says so of half of the rows; `counts` are that half, the rows that it was compared with, and all rows.
    """
    rows, compared, every = counts
    while rows // 2 >= FEWEST_ROWS:
        models = {plain_boosting.NAME: predicted, "fewer": of_fewer(rows // 2)}
        gain = _gain(*_errors(actual, models), plain_boosting.NAME, "fewer")
        if gain["upper"] >= SAME:
            break
        rows, grown = rows // 2, gain
    sentence = (
        f"Fewer rows give the same accuracy: {rows:,} of your {every:,} training rows. With {compared:,} the RMSE of a "
        f"plain boosting is {abs(grown['value']):.1%} {'lower' if grown['value'] >= 0 else 'higher'} "
        f"({grown['lower']:.1%} to {grown['upper']:.1%}), less than {SAME:.0%}."
    )
    return {"rows": rows, "of": every, **grown, "sentence": sentence}


def _gain(draws: Mapping[str, np.ndarray], errors: Mapping[str, float], better: str, than: str) -> dict[str, float]:
    """By which share the RMSE of one is lower than that of the other, with its interval over the same resamples."""
    if errors[than] == 0:
        return {"value": 0.0, "lower": 0.0, "upper": 0.0}
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = 1 - draws[better] / draws[than]
    low, high = confidence_interval(shares) if np.isfinite(shares).any() else (0.0, 0.0)
    return {"value": 1 - errors[better] / errors[than], "lower": low, "upper": high}


def _sentence(
    most: str, grown: Mapping[str, float], tuned: Mapping[str, float], best: str, counts: tuple[int, int]
) -> str:
    learned = (
        f"from {counts[0]:,} to {counts[1]:,} training rows the RMSE of a plain boosting fell by {grown['value']:.1%} "
        f"({grown['lower']:.1%} to {grown['upper']:.1%})"
    )
    compared = (
        f"the best other candidate, {best}, has an RMSE that is {abs(tuned['value']):.1%} "
        f"{'lower' if tuned['value'] > 0 else 'higher'}"
    )
    return f"What would help most is {most}: {learned}, and {compared}."
