"""From a data file to what its YAML will say: the columns with their parts, leaks, gates from a quick model."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from profiling.columns import (
    LATITUDE,
    LONGITUDE,
    Draft,
    as_numbers,
    counted,
    drafts,
    hollow_rows,
    is_identity,
    range_of,
)
from profiling.errors import DataError
from profiling.file_form import Found, look_at
from profiling.leaks import later, without_leaks
from profiling.quick_model import Quick, quick_model
from profiling.rules import FoundRule, rules_of
from steps.expressions import written
from steps.failure import JobError, did_you_mean, listed

TARGETS = (
    *("price", "saleprice", "sale_price", "sellingprice", "selling_price", "sold_price", "price_usd", "target", "y"),
    *("preis", "kaufpreis", "miete", "prix", "loyer", "precio", "prezzo", "preço", "preco", "cena", "prijs"),
    *("fiyat", "hinta", "pris", "цена", "стоимость", "価格", "取引価格", "价格", "总价"),
    *("charges", "medv", "medianhousevalue", "median_house_value", "rent", "amount", "cost", "salary", "wage", "value"),
)
GROUP = re.compile(r"(^|[_\W])(id|parcel|apn|vin|pid)($|[_\W])|Id$|ID$")
MOST_ZEROS = 0.2  # share of the rows from which on a target of 0 may be meant
HARDLY = 0.1  # R2 of a quick model below which the columns say hardly anything of the target
FEWEST_ROWS = 60


@dataclass(frozen=True)
class Drafted:
    """All that the YAML says, and the sentences about it that a person should read."""

    found: Found
    target: Draft
    columns: Sequence[Draft]
    identity: Sequence[str]
    group: Sequence[str]
    date: str | None
    derived: Mapping[str, str]
    learned: Mapping[str, dict[str, Any]]
    rules: Sequence[FoundRule]
    scale: str
    rejected: float  # share of the rows that these settings reject
    quick: Quick
    notes: Sequence[str] = field(default_factory=tuple)


def draft(path: Path, target: str | None, encoding: str | None = None) -> Drafted:
    """Look at a file. Raises DataError where it cannot be read, or holds no number that could be the target."""
    try:
        return _draft(look_at(path, encoding), target)
    except JobError as error:
        raise DataError(str(error)) from error


def _draft(found: Found, target: str | None) -> Drafted:
    hollow = hollow_rows(found.table)
    columns = drafts(found.table, hollow, found.form.separator)
    notes = _of_file(found, hollow)
    columns = [
        as_numbers(each, found.table[each.name], hollow)
        if not each.is_number and _may_be_target(each, target)
        else each
        for each in columns
    ]
    chosen = _target(columns, target, notes)
    columns = [_with_range(each) for each in columns]
    by_name = {each.name: each for each in columns}
    by_name[chosen] = _as_target(by_name[chosen], notes)
    if len(found.table) < FEWEST_ROWS:
        notes.append(f"{len(found.table):,} rows are very few: results on a test part of them are mostly chance")
    accepted = _accepted(by_name.values(), found)
    if accepted.sum() < 20:
        raise DataError(f"Only {int(accepted.sum()):,} rows of {found.file} could be used: is {chosen} the target?")
    before, by_name = by_name, without_leaks(by_name, chosen, accepted, notes)
    identity = [name for name, each in by_name.items() if name != chosen and is_identity(name, each.values)][:1]
    date = next((name for name, each in by_name.items() if each.type == "date"), None)
    group = [] if identity else _group(by_name, chosen)
    for name in (*identity, *group):
        by_name[name] = by_name[name].noted(feature=False)
    columns = list(by_name.values())
    values = by_name[chosen].values[accepted].to_numpy(dtype=float)
    others = [each for each in columns if each.name != chosen]
    if not any(each.is_feature and each.type != "text" for each in others):
        leaks = [name for name, each in by_name.items() if before[name].is_feature and not each.is_feature]
        once = f" once what looks like a leak is left out ({listed(leaks)}): give other columns" if leaks else ""
        raise DataError(f"{found.file} has no column besides {chosen} from which it could be predicted{once}.")
    derived, learned = _derived(columns, later(by_name, date, notes)), _learned(columns)
    quick = quick_model(others, values, accepted, _scale(values))
    if quick.r2 < HARDLY:
        notes.append(
            f"a quick model explains hardly anything of {chosen} (R2 {quick.r2:.2f}): see whether one is missing"
        )
    return Drafted(
        found=found,
        target=by_name[chosen],
        columns=columns,
        identity=[*identity] if not (group and date) else [*group, date],
        group=group,
        date=date,
        derived=derived,
        learned=learned,
        rules=rules_of(others, values, accepted, derived, learned),
        scale=_scale(values),
        rejected=float(1 - accepted.mean()),
        quick=quick,
        notes=notes,
    )


def _of_file(found: Found, hollow: np.ndarray) -> list[str]:
    """What is strange about a file as a whole."""
    notes = [f"{counted(len(found.broken))} too many fields and will be rejected"] if found.broken else []
    if found.form.encoding not in ("utf-8", "utf-16"):
        notes.append(f"it is read as {found.form.encoding}: if names look wrong, give another one with --encoding")
    if hollow.any():
        place = int(np.flatnonzero(hollow)[0])
        cells = [str(cell) for cell in found.table.iloc[place] if not pd.isna(cell) and str(cell).strip()]
        shown = f", such as row {place + 1} ({', '.join(cells[:3])})" if cells else f", such as row {place + 1}"
        notes.append(f"{counted(int(hollow.sum()))} hardly any value and will be rejected{shown}")
    return notes


def _may_be_target(each: Draft, wanted: str | None) -> bool:
    return each.name == wanted if wanted is not None else bool(_words(each.name) & {*TARGETS})


def _words(name: str) -> set[str]:
    """The words of a column's name, and the whole of it, in small letters."""
    return {name.lower(), *re.split(r"[\W_]+", name.lower())}


def _target(columns: Sequence[Draft], wanted: str | None, notes: list[str]) -> str:
    names = {each.name: each for each in columns}
    if wanted is not None:
        if wanted not in names:
            raise JobError(
                f"There is no column {wanted}{did_you_mean(wanted, names) or '; there are ' + listed(names)}"
            )
        if not names[wanted].is_number:
            raise DataError(f"{wanted} is a {names[wanted].type}, not a number: it cannot be predicted.")
        _refuse_constant(names[wanted])
        return wanted
    # What names a row is no target; what is the same in all rows may be the one that is meant.
    numbers = [each.name for each in columns if each.is_number and (each.is_feature or each.distinct == 1)]
    if not numbers:
        raise DataError("No column holds numbers that could be predicted: name one with --target.")
    known = [name for word in TARGETS for name in numbers if name.lower() == word]
    known += [name for word in TARGETS for name in numbers if word in _words(name)]
    known += [name for name in numbers if "price" in name.lower()]
    varied = [name for name in numbers if names[name].distinct > 1]
    chosen = [*known, *reversed(varied), *numbers][0]
    _refuse_constant(names[chosen])
    notes.append(f"{chosen} is assumed to be the target: name another one with --target")
    return chosen


def _refuse_constant(target: Draft) -> None:
    if target.distinct < 2:
        raise DataError(
            f"{target.name} has the same value in all rows that have one: there is nothing to predict. "
            "Name another column with --target."
        )


def _with_range(each: Draft) -> Draft:
    if not each.is_number or not each.is_feature:
        return each
    limits, notes = range_of(each.values)
    return each.noted(*notes, **({"range": limits} if limits else {}))


def _as_target(each: Draft, notes: list[str]) -> Draft:
    """The target: without a value nothing is learned, and 0 among positive values is not a value."""
    column = {key: value for key, value in each.column.items() if key not in ("optional", "feature")}
    values = each.values.to_numpy(dtype=float)
    gaps, zeros = int(np.isnan(values).sum()) - each.unreadable, int((values == 0).sum())
    own = [f"{counted(gaps)} no value and will be rejected"] if gaps else []
    positive = values[values > 0]
    if zeros and not (values < 0).any() and zeros >= MOST_ZEROS * len(values):
        own.append(f'{counted(zeros)} the value 0; if that means none, say missing: ["0"], and these rows are rejected')
    elif zeros and not (values < 0).any():
        limits, _ = range_of(pd.Series(positive))
        low = (limits or [float(positive.min())])[0]
        column["range"] = [low, (column.get("range") or [None, None])[1]]
        own.append(f"{counted(zeros)} the value 0 where the rest are positive, and will be rejected")
    notes += [f"{each.name}: {text}" for text in own]
    return Draft(each.name, column, each.values, (*each.notes, *own), each.distinct, each.unreadable)


def _accepted(columns: Any, found: Found) -> np.ndarray:
    """Which rows these settings accept."""
    accepted = np.ones(len(found.table), dtype=bool)
    accepted[list(found.broken)] = False
    for each in columns:
        missing = each.values.isna().to_numpy()
        if not each.column.get("optional"):
            accepted &= ~missing
        if each.column.get("range"):
            low, high = each.column["range"]
            numbers = each.values.to_numpy(dtype=float)
            low, high = (-np.inf if low is None else low), (np.inf if high is None else high)
            accepted &= missing | ((numbers >= low) & (numbers <= high))
    return accepted


def _group(by_name: Mapping[str, Draft], target: str) -> list[str]:
    """The column of ids that come more than once, such as a house that was sold again."""
    for name, each in by_name.items():
        present = each.values.dropna()
        whole = each.type in ("integer", "text", "category") and len(present) == len(each.values)
        if name != target and whole and GROUP.search(name) and 0.5 * len(present) < present.nunique() < len(present):
            return [name]
    return []


def _derived(columns: Sequence[Draft], later: Sequence[str]) -> dict[str, str]:
    found = {}
    names = {each.name for each in columns}
    for each in columns:
        if each.type == "date" and each.distinct > 1 and "`" not in each.name and each.name not in later:
            stem = re.sub(r"\W+", "_", each.name).strip("_").lower()
            for key, text in ((f"day_of_{stem}", "days"), (f"month_of_{stem}", "month")):
                if key not in names:
                    found[key] = f"{text}({written(each.name)})"
    return found


def _learned(columns: Sequence[Draft]) -> dict[str, dict[str, Any]]:
    """What rows at the same place, or with the same of many names, were worth."""
    found: dict[str, dict[str, Any]] = {}
    features = [each for each in columns if each.is_feature]
    latitude = next((each for each in features if each.is_number and LATITUDE.match(each.name)), None)
    longitude = next((each for each in features if each.is_number and LONGITUDE.match(each.name)), None)
    if latitude and longitude:
        east = round(111.2 * float(np.cos(np.radians(latitude.values.mean()))), 1)
        found["worth_nearby"] = {"kind": "neighbours", "of": [latitude.name, longitude.name], "scale": [111.2, east]}
    for each in features:
        rows = len(each.values)
        many = each.type == "category" and each.distinct > 30
        named = each.type == "text" and 30 < each.distinct <= rows / 2
        if many or named:
            stem = re.sub(r"\W+", "_", each.name).strip("_").lower()
            found[f"worth_of_{stem}"] = {"kind": "target_encoding", "of": [each.name]}
    return {name: spec for name, spec in found.items() if name not in {each.name for each in columns}}


def _scale(values: np.ndarray) -> str:
    """log where all are positive and their logarithm is less skewed than they are."""
    if values.min() <= 0 or values.max() < 3 * values.min():
        return "linear"
    return "log" if abs(_skew(np.log(values))) < abs(_skew(values)) else "linear"


def _skew(values: np.ndarray) -> float:
    spread = values.std()
    return float((((values - values.mean()) / spread) ** 3).mean()) if spread > 0 else 0.0
