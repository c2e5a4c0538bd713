"""Checks of the data behind an evaluation: do the test rows tell the truth about rows that nobody has seen?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from evaluation.drift import adversarial_auc, population_stability
from steps.failure import JobError
from steps.settings import JobSettings

SEVERE_COPIES = 0.01  # share of the test rows that are copies of training rows, target included
SEVERE_R2, HIGH_R2 = 0.98, 0.9  # what one feature alone explains of the target
HIGH_STABILITY = 0.25  # the usual reading of the index: below 0.1 none, above 0.25 much drift
HIGH_AUC = 0.65
BINS = 50


@dataclass(frozen=True)
class Finding:
    """What one check found. severe: the evaluation cannot be trusted. warning: a person should know."""

    check: str
    severity: Literal["ok", "warning", "severe"]
    text: str
    values: dict[str, float]

    def to_json(self) -> dict[str, Any]:
        """The finding as it stands in evaluation.json."""
        return asdict(self)


@dataclass(frozen=True)
class Parts:
    """Typed raw rows of the training and the test part, and the features of the test rows with their target."""

    train: pd.DataFrame
    test: pd.DataFrame
    table: pd.DataFrame
    target: np.ndarray  # on the training scale


def check_data(parts: Parts, settings: JobSettings) -> list[Finding]:
    """Run every check, in the order in which a person reads them."""
    checks: Sequence[Callable[[Parts, JobSettings], Finding]] = (
        same_entities,
        copied_rows,
        doubled_rows,
        time_order,
        telling_features,
        drifting_columns,
        adversarial,
    )
    return [check(parts, settings) for check in checks]


def refuse_severe(findings: Sequence[Finding]) -> None:
    """Raise JobError naming the severe findings, if there are any."""
    severe = [finding.text.rstrip(".") for finding in findings if finding.severity == "severe"]
    if severe:
        raise JobError(f"The evaluation cannot be trusted: {'; '.join(severe)}.")


def same_entities(parts: Parts, settings: JobSettings) -> Finding:
    """The same house on both sides: in a hash split never, in a split by time those that were sold again."""
    data = settings.data
    if not (data.group or data.identity):
        text = "No column names a row (data.identity): equal rows stay on one side, others may be of one thing."
        return Finding("same entity", "ok", text, {})
    keys = [key for key in settings.data.split_keys if key != settings.data.date] or list(settings.data.split_keys)
    shared = np.isin(_hashes(parts.test, keys), _hashes(parts.train, keys))
    count, share = int(shared.sum()), float(shared.mean())
    named = " and ".join(keys)
    text = f"{count:,} of {len(shared):,} test rows share {named} with a training row"
    if not count:
        return Finding("same entity", "ok", f"No test row shares {named} with a training row.", {"share": 0.0})
    if settings.split.by == "hash":
        text += ", though they should never be on both sides: look at data.group in the YAML"
        return Finding("same entity", "severe", f"{text}.", {"share": share})
    return Finding("same entity", "warning", f"{text}, as a split by time allows.", {"share": share})


def copied_rows(parts: Parts, settings: JobSettings) -> Finding:
    """Test rows that are in the training part with the same target, but for their identity."""
    columns = _compared(settings)
    copied = np.isin(_hashes(parts.test, columns), _hashes(parts.train, columns))
    count, share = int(copied.sum()), float(copied.mean())
    text = f"{count:,} of {len(copied):,} test rows are equal to a training row{_names(settings)}."
    severity: Literal["ok", "warning", "severe"] = "ok" if not count else "warning"
    return Finding("copied rows", "severe" if share > SEVERE_COPIES else severity, text, {"share": share})


def doubled_rows(parts: Parts, settings: JobSettings) -> Finding:
    """Rows that are there twice in one part, but for their identity."""
    columns = _compared(settings)
    doubled = {
        name: float(pd.Series(_hashes(rows, columns)).duplicated().mean())
        for name, rows in (("train", parts.train), ("test", parts.test))
    }
    text = f"{doubled['train']:.2%} of the training rows and {doubled['test']:.2%} of the test rows are there twice"
    severity: Literal["ok", "warning"] = "warning" if max(doubled.values()) > SEVERE_COPIES else "ok"
    return Finding("duplicated rows", severity, f"{text}{_names(settings)}.", doubled)


def time_order(parts: Parts, settings: JobSettings) -> Finding:
    """In a split by time, no test row may be as old as a training row."""
    date = settings.data.date
    if date is None:
        return Finding("time order", "ok", "The data has no date: the split cannot look ahead.", {})
    newest, oldest = parts.train[date].max(), parts.test[date].min()
    earlier = float((parts.test[date] <= newest).mean())
    if settings.split.by == "time":
        if earlier:
            text = f"{earlier:.1%} of the test rows are not newer than the newest training row ({newest:%Y-%m-%d})."
            return Finding("time order", "severe", text, {"share": earlier})
        text = f"All test rows (from {oldest:%Y-%m-%d}) are newer than the training rows (to {newest:%Y-%m-%d})."
        return Finding("time order", "ok", text, {"share": 0.0})
    text = (
        f"The split is by hash: {earlier:.1%} of the test rows are as old as training rows. On rows of a later time "
        "the errors may be larger; `split: time` measures that."
    )
    return Finding("time order", "ok", text, {"share": earlier})


def telling_features(parts: Parts, settings: JobSettings) -> Finding:
    """A feature that alone predicts the target too well may hold the target itself.

    Its R2 is that of the mean target in bins of it, learned from every other test row and judged on the rest.
    """
    explained = {str(name): _explained(parts.table[name].to_numpy(), parts.target) for name in parts.table}
    best = max(explained, key=explained.__getitem__)
    value = explained[best]
    text = f"The most telling feature alone is {best}, with an R2 of {value:.3f}"
    if value >= SEVERE_R2:
        text += ": it holds the target, or what is known only after it"
        return Finding("telling features", "severe", f"{text}.", {best: value})
    return Finding("telling features", "warning" if value >= HIGH_R2 else "ok", f"{text}.", {best: value})


def drifting_columns(parts: Parts, settings: JobSettings) -> Finding:
    """The population stability index of each input between the training and the test part."""
    inputs = [name for name, column in settings.data.inputs.items() if column.type != "date"]
    values = {name: population_stability(parts.train[name], parts.test[name]) for name in inputs}
    high = [name for name, value in values.items() if value > HIGH_STABILITY]
    worst = max(values, key=values.__getitem__)
    text = f"The highest population stability index is that of {worst}, {values[worst]:.3f}"
    if high:
        return Finding("drift by column", "warning", f"{text}; above {HIGH_STABILITY} is drift.", values)
    return Finding("drift by column", "ok", f"{text} (below {HIGH_STABILITY}: no drift).", values)


def adversarial(parts: Parts, settings: JobSettings) -> Finding:
    """Whether a classifier can tell test rows from training rows by their inputs."""
    inputs = [name for name, column in settings.data.inputs.items() if column.type != "date"]
    auc = adversarial_auc(parts.train[inputs], parts.test[inputs])
    text = f"A classifier tells test rows from training rows with an AUC of {auc:.3f} (0.5 is by chance)."
    return Finding("adversarial validation", "warning" if auc > HIGH_AUC else "ok", text, {"auc": auc})


def _hashes(rows: pd.DataFrame, columns: Sequence[str]) -> np.ndarray:
    return pd.util.hash_pandas_object(rows[list(columns)], index=False).to_numpy()


def _compared(settings: JobSettings) -> list[str]:
    """The columns in which copies are equal: all but those that only name a row, and are no features."""
    data = settings.data
    return [name for name, column in data.columns.items() if name not in data.identity or column.is_feature]


def _names(settings: JobSettings) -> str:
    left_out = [name for name in settings.data.columns if name not in _compared(settings)]
    return f" in all but {' and '.join(left_out)}" if left_out else " in every column"


def _explained(values: np.ndarray, target: np.ndarray) -> float:
    """R2 of the mean target in bins of equal size; a value that is frequent has a bin of its own."""
    edges = np.unique(np.quantile(values, np.linspace(0, 1, BINS + 1)[1:-1]))
    codes = np.searchsorted(edges, values, side="left") if len(np.unique(values)) > BINS else _codes(values)
    learn = np.arange(len(values)) % 2 == 0
    count = np.bincount(codes[learn], minlength=codes.max() + 1)
    total = np.bincount(codes[learn], target[learn], minlength=codes.max() + 1)
    means = np.where(count > 0, total / np.maximum(count, 1), target[learn].mean())
    rest = target[~learn]
    variance = float(((rest - rest.mean()) ** 2).sum()) if len(rest) else 0.0
    return 1 - float(((rest - means[codes[~learn]]) ** 2).sum()) / variance if variance > 0 else 0.0


def _codes(values: np.ndarray) -> np.ndarray:
    return np.unique(values, return_inverse=True)[1]
