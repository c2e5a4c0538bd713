"""Checks of the data that need no model: do the test rows tell the truth about rows that nobody has seen?

Preprocess runs them before anything is trained, and Evaluate reports them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from steps.data_settings import PreparationSettings
from steps.derived import with_derived
from steps.failure import JobError
from steps.leaks import (
    HIGH_R2,
    SEVERE_R2,
    TOGETHER_R2,
    banded,
    banded_by_numbers,
    codes_of,
    explained,
    explained_by_groups,
    explained_by_repeats,
    most_telling_pair,
    shortened,
    told_together,
)
from steps.row_source import RowSource, even_places
from steps.workers import in_parallel

SEVERE_COPIES = 0.01  # share of the test rows that are copies of training rows, target included
FEW_ROWS = 20  # test rows
LATER = 0.01  # share of the rows in which a date may be after the row's own by a slip
CHECKED_ROWS = 50_000  # for the check of single columns; all others see every row
FEWEST_AT_ONCE = 10_000  # rows; those of fewer are checked sooner than other processes have begun


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


Check = Callable[[RowSource, RowSource, PreparationSettings], Finding]


def check_parts(train: RowSource, test: RowSource, settings: PreparationSettings) -> list[Finding]:
    """Run every check on typed raw rows of both parts, in the order in which a person reads them."""
    checks: Sequence[Check] = (
        size_of_test_part,
        same_entities,
        copied_rows,
        doubled_rows,
        time_order,
        telling_columns,
        telling_pairs,
        telling_together,
        later_dates,
    )
    processes = 1 if len(train) + len(test) < FEWEST_AT_ONCE else None
    return list(in_parallel(lambda number: checks[number](train, test, settings), range(len(checks)), processes))


def refuse_severe(findings: Sequence[Finding]) -> None:
    """Raise JobError naming the severe findings, if there are any."""
    severe = [finding.text.rstrip(".") for finding in findings if finding.severity == "severe"]
    if severe:
        raise JobError(f"The evaluation cannot be trusted: {'; '.join(severe)}.")


def size_of_test_part(_train: RowSource, test: RowSource, settings: PreparationSettings) -> Finding:
    """Whether there are test rows enough to tell a good model from a bad one."""
    rows, target = len(test), settings.data.target
    text = f"The test part has {rows:,} row{'' if rows == 1 else 's'}"
    if test[target].nunique() < 2:
        text += f" with one value of {target}, by which nothing can be measured; give more data, or raise split.test"
        return Finding("size of the test part", "severe", f"{text}.", {"rows": rows})
    if rows < FEW_ROWS:
        text += ": what it says is mostly chance; set split.test in the YAML to a larger share, or give more data"
        return Finding("size of the test part", "warning", f"{text}.", {"rows": rows})
    return Finding("size of the test part", "ok", f"{text}.", {"rows": rows})


def same_entities(train: RowSource, test: RowSource, settings: PreparationSettings) -> Finding:
    """The same house on both sides: in a hash split never, in a split by time those that were sold again."""
    data = settings.data
    if not (data.group or data.identity):
        text = "No column names a row (data.identity): equal rows stay on one side, others may be of one thing."
        return Finding("same entity", "ok", text, {})
    keys = [key for key in data.split_keys if key != data.date] or list(data.split_keys)
    shared = np.isin(_hashes(test, keys, named=True), _hashes(train, keys, named=True))
    count, share = int(shared.sum()), float(shared.mean())
    named = " and ".join(keys)
    text = f"{count:,} of {len(shared):,} test rows share {named} with a training row"
    if not count:
        return Finding("same entity", "ok", f"No test row shares {named} with a training row.", {"share": 0.0})
    if settings.split.by == "hash":
        text += ", though they should never be on both sides: look at data.group in the YAML"
        return Finding("same entity", "severe", f"{text}.", {"share": share})
    return Finding("same entity", "warning", f"{text}, as a split by time allows.", {"share": share})


def copied_rows(train: RowSource, test: RowSource, settings: PreparationSettings) -> Finding:
    """Test rows that are in the training part with the same target, but for their identity."""
    columns = _compared(settings)
    copied = np.isin(_hashes(test, columns), _hashes(train, columns))
    count, share = int(copied.sum()), float(copied.mean())
    text = f"{count:,} of {len(copied):,} test rows are equal to a training row{_names(settings)}."
    severity: Literal["ok", "warning", "severe"] = "ok" if not count else "warning"
    return Finding("copied rows", "severe" if share > SEVERE_COPIES else severity, text, {"share": share})


def doubled_rows(train: RowSource, test: RowSource, settings: PreparationSettings) -> Finding:
    """Rows that are there twice in one part, but for their identity."""
    columns = _compared(settings)
    doubled = {
        name: float(pd.Series(_hashes(rows, columns)).duplicated().mean())
        for name, rows in (("train", train), ("test", test))
    }
    text = f"{doubled['train']:.2%} of the training rows and {doubled['test']:.2%} of the test rows are there twice"
    severity: Literal["ok", "warning"] = "warning" if max(doubled.values()) > SEVERE_COPIES else "ok"
    return Finding("duplicated rows", severity, f"{text}{_names(settings)}.", doubled)


def time_order(train: RowSource, test: RowSource, settings: PreparationSettings) -> Finding:
    """In a split by time, no test row may be as old as a training row."""
    date = settings.data.date
    if date is None:
        return Finding("time order", "ok", "The data has no date: the split cannot look ahead.", {})
    newest, oldest = train[date].max(), test[date].min()
    earlier = float((test[date] <= newest).mean())
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


def telling_columns(train: RowSource, test: RowSource, settings: PreparationSettings) -> Finding:
    """A column or derived feature that alone predicts the target too well may hold the target itself.

    Measured on ranks, by the mean target of its values or bands on rows that these are not learned from; and for
    few values, by how far they are bands of the target. Learned features hold no row's own target, but what is encoded
    may: a code that is made of the price tells a row's price by that of the others with the same code.
    """
    table, ranks = _sample(train, test, settings)
    found, bands = dict[str, float](), dict[str, float]()
    for name in _features(table, settings):
        values = table[name]
        if settings.data.types.get(name) == "category":
            codes = codes_of(values)
            found[name], bands[name] = explained_by_groups(codes, ranks), banded(codes, ranks)
        else:
            numbers = values.to_numpy(dtype=float)
            found[name], bands[name] = explained(numbers, ranks), banded_by_numbers(numbers, ranks)
    for name in _encoded(settings):
        found[name] = max(found.get(name, 0.0), explained_by_repeats(codes_of(table[name]), ranks))
    if not found:
        return Finding("telling columns", "ok", "No column of the file is a feature.", {})
    best = max(found, key=found.__getitem__)
    value = found[best]
    text = f"The most telling column alone is {best}, with an R2 of {value:.3f}"
    divides = max(bands, key=bands.__getitem__, default=best)
    if bands.get(divides, 0.0) >= max(value, HIGH_R2):
        best, value = divides, bands[divides]
        text = f"The values of {best} divide the target into bands that hardly overlap ({value:.3f}; not at all is 1)"
    if value >= SEVERE_R2:
        text += ": it holds the target, or what is known only after it; set feature: false for it in the YAML"
        return Finding("telling columns", "severe", f"{text}.", {best: value})
    return Finding("telling columns", "warning" if value >= HIGH_R2 else "ok", f"{text}.", {best: value})


def telling_pairs(train: RowSource, test: RowSource, settings: PreparationSettings) -> Finding:
    """A ratio or product of two columns that predicts the target too well: price per square foot and square feet."""
    table, ranks = _sample(train, test, settings)
    numbers = {
        name: table[name].to_numpy(dtype=float)
        for name in _features(table, settings)
        if settings.data.types.get(name, "number") in ("integer", "number")
    }
    pair, value = most_telling_pair(numbers, ranks)
    if not pair:
        return Finding("telling pairs", "ok", "No ratio or product of two columns says more than each alone.", {})
    text = f"The most telling ratio or product is {pair}, with an R2 of {value:.3f}"
    if value >= SEVERE_R2:
        text += ": one of the two was computed from the target; set feature: false for it in the YAML"
        return Finding("telling pairs", "severe", f"{text}.", {pair: value})
    return Finding("telling pairs", "ok", f"{text}.", {pair: value})


def telling_together(train: RowSource, test: RowSource, settings: PreparationSettings) -> Finding:
    """Numbers that together tell the target, though none does alone: parts of which it is the sum, or the product.

    A law of nature looks the same, so nothing is refused here: gates.max_r2 judges it as it judges the model.
    """
    table, _ = _sample(train, test, settings)
    numbers = {
        name: table[name].to_numpy(dtype=float)
        for name in _features(table, settings)
        if settings.data.types.get(name, "number") in ("integer", "number", "boolean")
    }
    names, value = told_together(numbers, table[settings.data.target].to_numpy(dtype=float))
    if value < TOGETHER_R2:
        text = f"All numbers together explain the target by a line with an R2 of {max(value, 0):.3f}."
        return Finding("telling together", "ok", text, {"all numbers": value})
    shown = shortened(names)
    text = (
        f"{shown} together tell {settings.data.target}, with an R2 of {value:.3f}, which looks too good to be true; "
        "set feature: false in the YAML for what is known only with it, or raise gates.max_r2 if it is a law."
    )
    return Finding("telling together", "warning", text, {shown: value})


def later_dates(train: RowSource, test: RowSource, settings: PreparationSettings) -> Finding:
    """Dates that features are made of and that are after the row's own date: they were not known then."""
    data = settings.data
    others = [name for name, column in data.inputs.items() if column.type == "date" and name != data.date]
    if data.date is None or not others:
        return Finding("later dates", "ok", "No feature is made of a date besides the row's own.", {})
    dates = pd.concat([part.columns([data.date, *others]) for part in (train, test)])
    later = {name: float((dates[name] > dates[data.date]).mean()) for name in others}
    worst = max(later, key=later.__getitem__)
    text = f"{worst} is after {data.date} in {later[worst]:.1%} of the rows"
    if later[worst] > LATER:
        text += ": features made of it hold what was not known on that day"
        return Finding("later dates", "warning", f"{text}.", later)
    return Finding("later dates", "ok", f"{text}.", later)


def _sample(train: RowSource, test: RowSource, settings: PreparationSettings) -> tuple[pd.DataFrame, np.ndarray]:
    """Rows of both parts with the derived features, and the ranks of their targets."""
    count = len(train) + len(test)
    places = even_places(count, CHECKED_ROWS)
    inside = places < len(train)
    rows = pd.concat([train.at(places[inside]), test.at(places[~inside] - len(train))], ignore_index=True)
    ranks = rows[settings.data.target].rank().to_numpy(dtype=float)
    return with_derived(rows, settings.data.derived, settings.data.types), ranks


def _encoded(settings: PreparationSettings) -> list[str]:
    """The texts and categories, one by one, whose rows' targets a learned feature is made of."""
    specs = [spec for spec in settings.data.learned.values() if spec.kind == "target_encoding" and len(spec.of) == 1]
    return [spec.of[0] for spec in specs if settings.data.types.get(spec.of[0]) in ("text", "category")]


def _features(table: pd.DataFrame, settings: PreparationSettings) -> list[str]:
    return [name for name in settings.data.features if name in table]


def _hashes(rows: RowSource, columns: Sequence[str], named: bool = False) -> np.ndarray:
    """One number a row; `named` columns are those that name one: hardly any two texts are equal."""
    return np.concatenate([_hashes_at_once(batch, named) for batch in rows.batches(columns)])


def _hashes_at_once(batch: pd.DataFrame, named: bool) -> np.ndarray:
    # Without categories, which take time to find where all texts differ, what is missing would be the text None.
    categorize = not named or bool(batch.isna().to_numpy().any())
    hashes: np.ndarray = pd.util.hash_pandas_object(batch, index=False, categorize=categorize).to_numpy()
    return hashes


def _compared(settings: PreparationSettings) -> list[str]:
    """The columns in which copies are equal: all but those that only name a row and are not features."""
    data = settings.data
    return [name for name, column in data.columns.items() if name not in data.identity or column.is_feature]


def _names(settings: PreparationSettings) -> str:
    left_out = [name for name in settings.data.columns if name not in _compared(settings)]
    return f" in all but {' and '.join(left_out)}" if left_out else " in every column"
