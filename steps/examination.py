"""Examine a data set: judge each row, for itself and beside the others, and all accepted rows together."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from steps.column_settings import Column
from steps.conversion import described
from steps.data_set import Part, combined, part_digest, runs
from steps.data_settings import PreparationSettings
from steps.expectations import (
    Outcome,
    check_columns,
    check_single_rows,
    expectations_of_columns,
    import_library,
)
from steps.failure import JobError
from steps.format_hints import hint
from steps.judged import Judged, inside
from steps.kept_parts import KeptFolders, KeptParts, Types
from steps.known_expectations import judges_single_rows
from steps.row_order import by_hash, content_hashes
from steps.row_store import Batch, RowStore
from steps.typed_rows import TypedRows
from steps.validation import Validation, reason_of
from steps.validation_settings import Expectation
from steps.workers import cores, in_parallel, meanwhile

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
    kept_parts = KeptParts(kept, settings, rules) if kept else None
    found = _Found([[] for _ in rules])
    _read(parts, digests, TypedRows(settings, len(rules), kept_parts), found, validation)
    if not len(validation.rows):
        raise JobError(f"The data file {validation.file} has columns but no rows.")
    new = check_single_rows(validation.rows, rules, _rows_of(found.types, validation.files))
    failing = [np.sort(np.concatenate([*known, more])) for known, more in zip(found.unexpected, new, strict=True)]
    if kept_parts:
        digest_of = {part.name: digest for part, digest in zip(parts, digests, strict=True)}
        _keep(kept_parts, digest_of, settings.data.columns, found, failing, validation)
    validation.rejected = np.zeros(len(validation.rows), dtype=bool)
    _reject_broken(found.broken, len(settings.data.columns), validation)
    for name, column in settings.data.columns.items():
        _reject_unreadable(name, column, found.unreadable.get(name, {}), validation)
    _judge_rows(expectations, dict(zip(alone, failing, strict=True)), validation)
    validation.give_reasons()
    if not validation.rejected.all():
        validation.outcomes += check_columns(validation.rows, settings.validation.table, "table", ~validation.rejected)
    return len(parts) - len(found.types)


@dataclass(frozen=True)
class _Run:
    """What a process finds of some files: what is known of each batch of rows; `types` of those that it has read."""

    pieces: list[tuple[Judged, Batch]]
    types: dict[str, Types]


@dataclass(frozen=True)
class _Found:
    """What is known of single rows, see `Judged`; they are given by their places in the data set.

    unexpected: of files that an earlier job has judged. types: of those that were read.
    """

    unexpected: list[list[np.ndarray]]
    broken: dict[int, str] = field(default_factory=dict)
    unreadable: dict[str, dict[int, str]] = field(default_factory=dict)
    types: dict[str, Types] = field(default_factory=dict)

    def add(self, judged: Judged, first: int) -> None:
        """What is known of more rows, whose first has the place `first`."""
        for found, rows in zip(self.unexpected, judged.unexpected, strict=True):
            found.append(rows + first)
        self.broken.update({first + row: reason for row, reason in judged.broken.items()})
        for name, cells in judged.unreadable.items():
            self.unreadable.setdefault(name, {}).update({first + row: text for row, text in cells.items()})


def _read(
    parts: Sequence[Part], digests: Sequence[str], reader: TypedRows, found: _Found, validation: Validation
) -> None:
    """Read all files into the rows of `validation`, and what is known of their rows so far into `found`."""

    def read(run: slice) -> _Run:
        own = replace(reader, types={})
        judged = enumerate(own.of(parts[run], digests[run]))
        return _Run([_stored(piece, validation.rows, f"{run.start}-{number}") for number, piece in judged], own.types)

    work, files = runs(parts, cores()), dict[str, int]()
    with meanwhile([partial(read, run) for run in work], 1 if len(work) == 1 else None, busy=True) as begun:
        if len(work) > 1:
            import_library()  # seconds, in which others read the files
        for end in begun:
            run = end()
            found.types.update(run.types)
            for piece, batch in run.pieces:
                found.add(piece, len(validation.rows))
                for name, rows in piece.files.items():
                    files[name] = files.get(name, 0) + rows
                validation.rows.add(batch)
    validation.files = files


def _stored(judged: Judged, rows: RowStore, name: str) -> tuple[Judged, Batch]:
    """What is known of some rows, without the rows, and what the store takes of them."""
    return replace(judged, table=judged.table.head(0)), rows.batch(judged.table, name)


def _rows_of(names: Collection[str], files: Mapping[str, int]) -> np.ndarray | None:
    """Marks the rows of some of the files; None where it is all of them."""
    if len(names) == len(files):
        return None
    return np.repeat([name in names for name in files], list(files.values()))


def _keep(
    kept: KeptParts,
    digest_of: Mapping[str, str],
    columns: Mapping[str, Column],
    found: _Found,
    failing: Sequence[np.ndarray],
    validation: Validation,
) -> None:
    """Keep what is known of each file that was read; `failing` are the rows that fail each expectation."""
    rows, counts = validation.rows, validation.files
    ends = dict(zip(counts, np.cumsum(list(counts.values())).tolist(), strict=True))

    def keep(name: str) -> None:
        begin, end = ends[name] - counts[name], ends[name]
        unreadable = {column: inside(cells, begin, end) for column, cells in found.unreadable.items()}
        judged = Judged(
            files={name: counts[name]},
            table=rows.between(begin, end, rows.names),
            unexpected=[failed[(failed >= begin) & (failed < end)] - begin for failed in failing],
            broken=inside(found.broken, begin, end),
            unreadable={column: cells for column, cells in unreadable.items() if cells},
        )
        kept.keep(digest_of[name], found.types[name], judged.alone(columns))

    deque(in_parallel(keep, found.types), maxlen=0)


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
