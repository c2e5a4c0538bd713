"""Examine a data set batch by batch: read it, type it, and judge each row and all accepted rows together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from steps import batches
from steps.column_settings import Column
from steps.conversion import described
from steps.data_set import Part, digest_of
from steps.data_settings import PreparationSettings
from steps.derived import with_derived
from steps.expectations import Outcome, check, check_columns, expectations_of_columns
from steps.failure import JobError
from steps.format_hints import hint
from steps.known_expectations import judges_single_rows
from steps.raw_data import check_names, converted_columns, read_part, refuse_contradiction
from steps.row_order import by_hash, content_hashes
from steps.row_store import in_batches
from steps.validation import Validation, reason_of
from steps.validation_settings import Expectation

FIELDS = "the row must have as many fields as the header"
LONGEST_VALUE = 60  # characters of a cell that are shown in a reason


def examine(parts: Sequence[Part], settings: PreparationSettings, validation: Validation) -> None:
    """Fill `validation` with what is known of the files; JobError where columns are not those of the settings."""
    validation.file = parts[0].name if len(parts) == 1 else f"{len(parts):,} files"
    validation.sha256 = digest_of(parts)
    validation.names = list(settings.data.columns)
    expectations = [*expectations_of_columns(settings.data.columns), *settings.validation.rows]
    alone = {place: each for place, each in enumerate(expectations) if judges_single_rows(each.expectation)}
    found = _Found({place: [] for place in alone}, {}, {})
    for group in _groups(parts, settings):
        for table in in_batches(_typed(group, settings, validation, found)):
            wide = with_derived(table, settings.validation.derived, settings.data.types)
            first = len(validation.rows)
            for place, outcome in zip(alone, check(wide, list(alone.values()), "rows"), strict=True):
                found.unexpected[place].append(outcome.unexpected + first)
            validation.rows.add(wide)
    if not len(validation.rows):
        raise JobError(f"The data file {validation.file} has columns but no rows.")
    validation.rejected = np.zeros(len(validation.rows), dtype=bool)
    _reject_broken(found.broken, len(settings.data.columns), validation)
    for name, column in settings.data.columns.items():
        _reject_unreadable(name, column, found.unreadable.get(name, {}), validation)
    judged = {place: np.concatenate(each) for place, each in found.unexpected.items()}
    _judge_rows(expectations, judged, validation)
    validation.give_reasons()
    if not validation.rejected.all():
        validation.outcomes += check_columns(validation.rows, settings.validation.table, "table", ~validation.rejected)


@dataclass(frozen=True)
class _Found:
    """What was found while reading; rows are given by their places in the data set.

    unexpected: those that fail an expectation of single rows, by its place and batch. broken: why a row is.
    unreadable: by column the cells that cannot be read, as they are written.
    """

    unexpected: dict[int, list[np.ndarray]]
    broken: dict[int, str]
    unreadable: dict[str, dict[int, str]]


@dataclass(frozen=True)
class _Raw:
    """One file: its rows as they are written, and why a row is broken."""

    part: Part
    table: pd.DataFrame
    broken: dict[int, str]


def _groups(parts: Sequence[Part], settings: PreparationSettings) -> Iterator[list[_Raw]]:
    """The files one after another, those of the same columns and types together: each group is converted at once."""
    group = list[_Raw]()
    rows = 0
    for part in parts:
        table, broken = read_part(part, settings.data.format)
        check_names([str(name) for name in table.columns], settings.data.columns, part.name)
        if group and (rows + len(table) > batches.ROWS or not table.dtypes.equals(group[0].table.dtypes)):
            yield group
            group, rows = [], 0
        group.append(_Raw(part, table, broken))
        rows += len(table)
    yield group


def _typed(group: Sequence[_Raw], settings: PreparationSettings, validation: Validation, found: _Found) -> pd.DataFrame:
    raw = pd.concat([each.table for each in group], ignore_index=True) if len(group) > 1 else group[0].table
    table, unreadable = converted_columns(raw, settings.data.columns, group[0].part.name)
    first, begin = len(validation.rows), 0
    for each in group:
        end = begin + len(each.table)
        refuse_contradiction(each.part, table.iloc[begin:end], settings.data.columns)
        validation.files[each.part.name] = len(each.table)
        found.broken.update({first + begin + row: reason for row, reason in each.broken.items()})
        begin = end
    for name, bad in unreadable.items():
        cells = found.unreadable.setdefault(name, {})
        cells.update({first + int(row): str(raw[name].iloc[row]) for row in np.flatnonzero(bad)})
    return table


def _reject_broken(broken: dict[int, str], columns: int, validation: Validation) -> None:
    if broken:
        expectation = Expectation("expect_table_column_count_to_equal", {"value": columns}, FIELDS)
        outcome = Outcome("rows", expectation, False, unexpected=np.array(sorted(broken)))
        validation.reject(outcome, broken)


def _reject_unreadable(name: str, column: Column, cells: dict[int, str], validation: Validation) -> None:
    if not cells:
        return
    places, sentence = np.array(sorted(cells)), f"{name} must be {described(column)}"
    validation.unreadable[name] = np.zeros(len(validation.rows), dtype=bool)
    validation.unreadable[name][places] = True
    validation.hints[name] = hint(name, cells[int(places[0])], column)
    expectation = Expectation("expect_column_values_to_be_of_type", {"column": name, "type_": column.type}, sentence)
    reasons = {row: f"{sentence} (is {text[:LONGEST_VALUE]!r})" for row, text in cells.items()}
    validation.reject(Outcome("rows", expectation, False, unexpected=places), reasons)


def _judge_rows(expectations: Sequence[Expectation], judged: dict[int, np.ndarray], validation: Validation) -> None:
    """Reject the rows that fail an expectation; those that must be unique come last, where one of them is kept.

    `judged` has the rows that fail an expectation of single rows, by its place among the expectations.
    """
    found = {
        place: Outcome("rows", expectations[place], not len(rows), unexpected=rows) for place, rows in judged.items()
    }
    others = [place for place, each in enumerate(expectations) if each.keep == "none" and place not in judged]
    compared = check_columns(validation.rows, [expectations[place] for place in others], "rows")
    found |= dict(zip(others, compared, strict=True))
    for _, outcome in sorted(found.items()):
        expectation = outcome.expectation
        bad = validation.unreadable.get(str(expectation.arguments.get("column")))
        validation.reject(outcome if bad is None else _without(outcome, bad))
    for expectation in (each for each in expectations if each.keep != "none"):
        places = np.flatnonzero(~validation.rejected)
        if validation.in_many_files:  # first and last are not a matter of the files' names
            places = places[by_hash(content_hashes(validation.rows)[places])]
        values = validation.rows.columns(expectation.unique_columns).iloc[places]
        present = values.notna().any(axis=1).to_numpy()
        keep: Any = expectation.keep
        again = np.sort(places[values.duplicated(keep=keep).to_numpy() & present])
        validation.reject(Outcome("rows", expectation, not len(again), unexpected=again))


def _without(outcome: Outcome, bad: np.ndarray) -> Outcome:
    """An outcome of a column without the rows whose cell cannot be read: they have their reason."""
    rows = outcome.unexpected[~bad[outcome.unexpected]]
    return replace(outcome, unexpected=rows, success=not len(rows))


def most_frequent(validation: Validation) -> str:
    """The reason for which most rows were rejected, and in which of several files."""
    of_rows = [outcome for outcome in validation.outcomes if outcome.level == "rows"]
    most = max(of_rows, key=lambda outcome: len(outcome.unexpected))
    return f"{reason_of(most.expectation)}{validation.files_of(most.unexpected)}"
