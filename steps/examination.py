"""Examine a data set: judge each row, for itself and beside the others, and all accepted rows together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from steps.column_settings import Column
from steps.conversion import described
from steps.data_set import Part, combined, part_digest, runs
from steps.data_settings import PreparationSettings
from steps.expectations import Outcome, check_columns, expectations_of_columns, import_library
from steps.failure import JobError
from steps.format_hints import hint
from steps.judged import Judged
from steps.kept_parts import KeptFolders, KeptParts
from steps.known_expectations import judges_single_rows
from steps.row_order import by_hash, content_hashes
from steps.row_store import Batch, RowStore
from steps.single_rows import SingleRows
from steps.validation import Validation, reason_of
from steps.validation_settings import Expectation
from steps.workers import cores, in_parallel

FIELDS = "the row must have as many fields as the header"
LONGEST_VALUE = 60  # characters of a cell that are shown in a reason


def examine(
    parts: Sequence[Part], settings: PreparationSettings, validation: Validation, kept: KeptFolders | None = None
) -> int:
    """Fill `validation` with what is known of the files; JobError where columns are not those of the settings.

    With `kept`, the rows of files that an earlier job has judged are not judged again. Returns how many files that are.
    """
    digests = [part_digest(part) for part in parts]
    validation.file = parts[0].name if len(parts) == 1 else f"{len(parts):,} files"
    validation.sha256 = combined(digests)
    validation.names = list(settings.data.columns)
    expectations = [*expectations_of_columns(settings.data.columns), *settings.validation.rows]
    alone = {place: each for place, each in enumerate(expectations) if judges_single_rows(each.expectation)}
    rules = list(alone.values())
    found, files, known = _Found([[] for _ in rules], {}, {}), dict[str, int](), 0

    def judged(run: slice) -> _Run:
        kept_parts = KeptParts(kept, settings, rules) if kept else None
        rows = SingleRows(settings, rules, kept_parts).of(parts[run], digests[run])
        pieces = [_stored(piece, validation.rows, f"{run.start}-{number}") for number, piece in enumerate(rows)]
        return _Run(pieces, kept_parts.found if kept_parts else 0)

    work = runs(parts, cores())
    if len(work) > 1:
        import_library()  # before there are other processes, of which each would
    for run in in_parallel(judged, work):
        known += run.known
        for piece, batch in run.pieces:
            found.add(piece, len(validation.rows))
            for name, rows in piece.files.items():
                files[name] = files.get(name, 0) + rows
            validation.rows.add(batch)
    validation.files = files
    if not len(validation.rows):
        raise JobError(f"The data file {validation.file} has columns but no rows.")
    validation.rejected = np.zeros(len(validation.rows), dtype=bool)
    _reject_broken(found.broken, len(settings.data.columns), validation)
    for name, column in settings.data.columns.items():
        _reject_unreadable(name, column, found.unreadable.get(name, {}), validation)
    failing = {place: np.concatenate(each) for place, each in zip(alone, found.unexpected, strict=True)}
    _judge_rows(expectations, failing, validation)
    validation.give_reasons()
    if not validation.rejected.all():
        validation.outcomes += check_columns(validation.rows, settings.validation.table, "table", ~validation.rejected)
    return known


@dataclass(frozen=True)
class _Run:
    """What a process finds of some files: what is known of each batch of rows, and how many files were known before."""

    pieces: list[tuple[Judged, Batch]]
    known: int


def _stored(judged: Judged, rows: RowStore, name: str) -> tuple[Judged, Batch]:
    """What is known of some rows, without the rows, and what the store takes of them."""
    return replace(judged, table=judged.table.head(0)), rows.batch(judged.table, name)


@dataclass(frozen=True)
class _Found:
    """What is known of single rows, see `Judged`; they are given by their places in the data set."""

    unexpected: list[list[np.ndarray]]
    broken: dict[int, str]
    unreadable: dict[str, dict[int, str]]

    def add(self, judged: Judged, first: int) -> None:
        """What is known of more rows, whose first has the place `first`."""
        for found, rows in zip(self.unexpected, judged.unexpected, strict=True):
            found.append(rows + first)
        self.broken.update({first + row: reason for row, reason in judged.broken.items()})
        for name, cells in judged.unreadable.items():
            self.unreadable.setdefault(name, {}).update({first + row: text for row, text in cells.items()})


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
