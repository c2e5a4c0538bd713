"""Every fault of a data file at once, as the jobs would find them one after the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from steps.conversion import described
from steps.data_checks import check_parts
from steps.data_set import Part, parts_of
from steps.examination import examine
from steps.failure import JobError
from steps.fitting import check_target
from steps.interval import fewest_rows
from steps.raw_data import name_faults, read_part
from steps.row_source import InMemory
from steps.settings import JobSettings
from steps.split import split
from steps.validation import Validation, reason_of
from steps.validation_settings import Expectation

# What to do where a file's columns are not those of the YAML, by how the sentence begins.
OF_NAMES = {
    "lacks": "add it to the file, or take it out of data.columns",
    "has": "declare it in data.columns, with feature: false where no prediction needs it, or take it out of the file",
}
# What to do where a row does not meet what follows from a column of the YAML, whose place stands for {0}.
OF_COLUMNS = {
    "expect_column_values_to_not_be_null": "fill in the values, or set {0}.optional to true",
    "expect_column_values_to_be_between": "change the values, or {0}.range",
    "expect_column_values_to_be_in_set": "change the values, or {0}.levels",
}
OF_TARGET = "fill in the values; until then nothing can be learned from these rows"


@dataclass(frozen=True)
class DataFault:
    """What is wrong, where (a place of the YAML, or the file), and what to do. A warning stops no job."""

    path: str
    message: str
    fix: str
    warning: bool = False


@dataclass(frozen=True)
class Checked:
    """What became of a file: its rows, those that are rejected, and its faults."""

    rows: int
    rejected: int
    faults: tuple[DataFault, ...]


def check_file(path: Path, sections: Mapping[str, Any], coverage: float) -> Checked:
    """Check a file against the settings of the jobs; `coverage` is that of the interval."""
    try:
        settings = JobSettings.from_json(sections)
        parts = parts_of(path)
        of_names = [fault for part in parts for fault in _of_names(part, settings)]
        if of_names:
            return Checked(0, 0, tuple(of_names))  # no row was judged
        validation = Validation()
        examine(parts, settings, validation)
    except JobError as error:
        message, colon, fix = str(error).rstrip(".").rpartition(": ")
        fault = DataFault("data", message, fix) if colon else DataFault("data", fix, "fix the file, or the YAML")
        return Checked(0, 0, (fault,))
    faults = [*_of_rows(validation, settings), *_of_table(validation)]
    rejected = int(validation.rejected.sum())
    if rejected < len(validation.rows):
        faults += _of_parts(validation, settings, coverage)
    return Checked(len(validation.rows), rejected, tuple(faults))


def _of_names(part: Part, settings: JobSettings) -> list[DataFault]:
    """What is wrong with one file where its columns are not those of the settings."""
    table, _ = read_part(part, settings.data.format)
    texts = name_faults([str(name) for name in table.columns], settings.data.columns)
    found = [DataFault("data.columns", f"{part.name} {text}", OF_NAMES[text.split()[0]]) for text in texts]
    return [*found, *(_unreadable_here(table, settings) if found else ())]


def _unreadable_here(table: Any, settings: JobSettings) -> Iterator[DataFault]:
    """Values of a wrong type in the columns that are there, where others are not."""
    from steps.conversion import convert

    for name, column in settings.data.columns.items():
        if name in table:
            _, bad = convert(table[name], column)
            if bad.any():
                value = str(table[name].iloc[int(np.flatnonzero(bad)[0])])
                message = f"{int(bad.sum()):,} rows of {name} are not {described(column)}, such as {value!r}"
                yield DataFault(f"data.columns.{name}", message, "change the values, or the YAML")


def _of_rows(validation: Validation, settings: JobSettings) -> Iterator[DataFault]:
    """What rejects rows: faults where it is too many rows, warnings where it is as many as the YAML allows."""
    rows, limit = len(validation.rows), settings.validation.max_rejected_share
    rejected = int(validation.rejected.sum())
    allowed = rejected <= limit * rows and rejected < rows
    for outcome in validation.outcomes:
        if outcome.level == "rows" and len(outcome.unexpected):
            place, fix = _of_expectation(outcome.expectation, settings, validation)
            count, first = len(outcome.unexpected), int(outcome.unexpected[0])
            where = validation.place(first)
            where = where if count == 1 else f"{count:,} rows{validation.files_of(outcome.unexpected)}, first {where}"
            shown = _shown(validation, first, reason_of(outcome.expectation))
            yield DataFault(place, f"{where}: {shown}", fix, warning=allowed)
    if not allowed:
        message = f"{rejected:,} of {rows:,} rows are rejected, {rejected / rows:.2%} where {limit:.2%} is allowed"
        yield DataFault("validation.max_rejected_share", message, "fix the faults above, or raise it")


def _of_expectation(expectation: Expectation, settings: JobSettings, validation: Validation) -> tuple[str, str]:
    """The place in the YAML of what a row does not meet, and what to change."""
    if expectation in settings.validation.rows:
        number = settings.validation.rows.index(expectation)
        return f"validation.rows.{number}", "change the values, or this expectation"
    name = str(expectation.arguments.get("column", ""))
    if name not in settings.data.columns:
        return "data.file", "give the row the fields of the header"
    place, kind = f"data.columns.{name}", expectation.expectation
    if name == settings.data.target and kind == "expect_column_values_to_not_be_null":
        return place, OF_TARGET
    return place, OF_COLUMNS[kind].format(place) if kind in OF_COLUMNS else validation.hints[name]


def _shown(validation: Validation, row: int, sentence: str) -> str:
    """The reason as it stands at the row, with the row's value."""
    found = [text for text in validation.reasons[row].split("; ") if text.startswith(sentence)]
    return found[0] if found else sentence


def _of_table(validation: Validation) -> Iterator[DataFault]:
    for outcome in validation.outcomes:
        if outcome.level == "table" and not outcome.success:
            message = f"{reason_of(outcome.expectation)}, but is {outcome.observed}"
            yield DataFault("validation.table", message, "look at the data, or change what the YAML expects")


def _of_parts(validation: Validation, settings: JobSettings, coverage: float) -> Iterator[DataFault]:
    """What Preprocess would refuse, and what it would warn of, on the accepted rows."""
    accepted = validation.table[~validation.rejected].reset_index(drop=True)
    try:
        check_target(accepted, settings.data)
        parts = split(accepted, settings.data, settings.split)
    except JobError as error:
        yield DataFault("data", str(error).rstrip("."), "change the data, or the YAML")
        return
    needed, rows = fewest_rows(coverage), len(parts["validation"])
    if rows < needed:
        message = f"the validation part has {rows:,} rows, and an interval that covers {coverage:.0%} needs {needed:,}"
        yield DataFault("split.validation", message, "give more data, raise it or lower interval.coverage")
    for finding in check_parts(InMemory(parts["train"]), InMemory(parts["test"]), settings):
        if finding.severity != "ok":
            text, _, fix = finding.text.rstrip(".").partition("; set ")
            fix = f"set {fix}" if fix else "look at these rows or columns"
            yield DataFault("data", text, fix, warning=finding.severity == "warning")
    for name, count in _unseen_levels(parts, settings).items():
        message = f"{count:,} test rows have a value of {name} that no training row has"
        yield DataFault(f"data.columns.{name}", message, "expect less of the model for such rows", warning=True)


def _unseen_levels(parts: Mapping[str, Any], settings: JobSettings) -> dict[str, int]:
    found: Counter[str] = Counter()
    for name, column in settings.data.columns.items():
        if column.type == "category" and column.is_feature:
            test = parts["test"][name].dropna()
            unseen = int((~test.isin(parts["train"][name].unique())).sum())
            if unseen > 0.01 * len(parts["test"]):
                found[name] = unseen
    return dict(found)
