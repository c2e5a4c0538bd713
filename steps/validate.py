"""Validate: divide the rows of the data into accepted and rejected ones, each rejection with its reasons."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from steps.artifacts import write_json, write_parquet, write_text
from steps.column_settings import Column
from steps.conversion import described
from steps.data_set import Part, digest_of, parts_of
from steps.data_settings import DEFAULT_PATH, PreparationSettings, load_as
from steps.derived import with_derived
from steps.expectations import Outcome, check, expectations_of_columns
from steps.failure import JobArgumentParser, JobError, run_job
from steps.format_hints import hint
from steps.hosts import refuse_several
from steps.raw_data import check_names, converted_columns, read_part, refuse_contradiction
from steps.row_order import by_content
from steps.validation import Validation, reason_of
from steps.validation_report import render
from steps.validation_settings import Expectation
from steps.wheels import ensure

NEEDED = ("great-expectations",)
FIELDS = "the row must have as many fields as the header"
ROWS_AT_ONCE = 100_000  # of many small files that are converted together
LONGEST_VALUE = 60  # characters of a cell that are shown in a reason


def main(arguments: Sequence[str]) -> None:
    """Run the job with command-line arguments. Raises JobError."""
    refuse_several()
    parser = JobArgumentParser(prog="steps.validate", description=__doc__)
    parser.add_argument("--input", type=Path, default=Path("/opt/ml/processing/input/data"))
    parser.add_argument("--output", type=Path, default=Path("/opt/ml/processing/output"))
    parser.add_argument("--settings", type=Path, default=DEFAULT_PATH)
    parser.add_argument("--wheels", type=Path, default=Path("/opt/ml/processing/input/wheels"))
    options = parser.parse_args(arguments)
    ensure(NEEDED, options.wheels)
    counts = validate(options.input, options.output, load_as(PreparationSettings, options.settings))
    print(f"{counts['read']:,} rows: {counts['accepted']:,} accepted, {counts['rejected']:,} rejected")


def validate(source: Path, output: Path, settings: PreparationSettings) -> dict[str, Any]:
    """Write validated/, rejected/ and report/ under `output`; return the counts of rows.

    validated/data.parquet: accepted rows with the settings' types, those of several files in an order that only their
    values decide. rejected/rejected.csv: each rejected
    row with its place in its file and its reasons. report/: index.html and validation.json. When the
    job fails there are report and rejected rows, but no validated rows. Raises JobError.
    """
    validation = Validation()
    try:
        examine(parts_of(source), settings, validation)
        _refuse(validation, settings)
    except JobError as error:
        validation.failure = str(error)
    summary = validation.summary()
    write_json(output / "report" / "validation.json", summary)
    write_text(output / "report" / "index.html", render(summary, validation.table, _rejected_rows(validation)))
    write_text(output / "rejected" / "rejected.csv", _csv(_rejected_rows(validation)))
    if validation.failure:
        raise JobError(validation.failure)
    accepted = validation.table[~validation.rejected].reset_index(drop=True)
    if validation.in_many_files:
        accepted = accepted.iloc[by_content(accepted)]
    write_parquet(output / "validated" / "data.parquet", accepted)
    counts: dict[str, Any] = summary["rows"]
    return counts


def examine(parts: Sequence[Part], settings: PreparationSettings, validation: Validation) -> None:
    """Fill `validation` with what is known of the files; JobError where columns are not those of the settings."""
    validation.file = parts[0].name if len(parts) == 1 else f"{len(parts):,} files"
    validation.sha256 = digest_of(parts)
    _read(parts, settings, validation)
    wide = with_derived(validation.table, settings.validation.derived, settings.data.types)
    by_row = [*expectations_of_columns(settings.data.columns), *settings.validation.rows]
    _judge_rows(wide, by_row, validation)
    if not validation.rejected.all():
        accepted = wide[~validation.rejected].reset_index(drop=True)
        validation.outcomes += check(accepted, settings.validation.table, "table")


def _refuse(validation: Validation, settings: PreparationSettings) -> None:
    """Raise JobError where too many rows are rejected, or the accepted ones are not as the settings expect."""
    rows, rejected, name = len(validation.table), int(validation.rejected.sum()), validation.file
    if rejected == rows:
        first = f"({validation.place(0)}: {validation.reasons[0]}){validation.advice}"
        raise JobError(f"All {rows:,} rows of {name} were rejected {first}; see rejected.csv.")
    limit = settings.validation.max_rejected_share
    if rejected > limit * rows:
        raise JobError(
            f"{rejected:,} of {rows:,} rows were rejected, {rejected / rows:.2%} where {limit:.2%} is allowed "
            f"(most often: {most_frequent(validation)}){validation.advice}; see rejected.csv."
        )
    failed = [outcome for outcome in validation.outcomes if outcome.level == "table" and not outcome.success]
    if failed:
        more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
        what = f"{reason_of(failed[0].expectation)}, but is {failed[0].observed}"
        raise JobError(f"The data do not meet the expectations: {what}{more}; see the validation report.")


def _read(parts: Sequence[Part], settings: PreparationSettings, validation: Validation) -> None:
    """The typed rows of all files; a row with a cell that cannot be read, or with too many fields, is rejected."""
    read = [_typed(group, settings, validation) for group in _groups(parts, settings)]
    validation.table = pd.concat([each.table for each in read], ignore_index=True) if len(read) > 1 else read[0].table
    if validation.table.empty:
        raise JobError(f"The data file {validation.file} has columns but no rows.")
    validation.rejected = np.zeros(len(validation.table), dtype=bool)
    validation.reasons = [""] * len(validation.table)
    _reject_broken(read, len(settings.data.columns), validation)
    for name, column in settings.data.columns.items():
        _reject_unreadable(name, column, read, validation)


@dataclass(frozen=True)
class _Raw:
    """One file: its rows as they are written, and why a row is broken."""

    part: Part
    table: pd.DataFrame
    broken: dict[int, str]


def _groups(parts: Sequence[Part], settings: PreparationSettings) -> Iterator[list[_Raw]]:
    """The files one after another, those of the same columns and types together: each group is converted at once."""
    group = list[_Raw]()
    for part in parts:
        table, broken = read_part(part, settings.data.format)
        check_names([str(name) for name in table.columns], settings.data.columns, part.name)
        rows = sum(len(each.table) for each in group)
        if group and (rows >= ROWS_AT_ONCE or not table.dtypes.equals(group[0].table.dtypes)):
            yield group
            group = []
        group.append(_Raw(part, table, broken))
    yield group


@dataclass(frozen=True)
class _Read:
    """Some files: their typed rows, why a row is broken, and the unreadable cells of each column as they are written.

    Rows are given by their places in the data set.
    """

    table: pd.DataFrame
    broken: dict[int, str]
    unreadable: dict[str, dict[int, str]]


def _typed(group: Sequence[_Raw], settings: PreparationSettings, validation: Validation) -> _Read:
    raw = pd.concat([each.table for each in group], ignore_index=True) if len(group) > 1 else group[0].table
    table, unreadable = converted_columns(raw, settings.data.columns, group[0].part.name)
    first = sum(validation.files.values())
    broken, begin = dict[int, str](), 0
    for each in group:
        end = begin + len(each.table)
        refuse_contradiction(each.part, table.iloc[begin:end], settings.data.columns)
        validation.files[each.part.name] = len(each.table)
        broken |= {first + begin + row: reason for row, reason in each.broken.items()}
        begin = end
    cells = {
        name: {first + int(row): str(raw[name].iloc[row]) for row in np.flatnonzero(bad)}
        for name, bad in unreadable.items()
    }
    return _Read(table, broken, cells)


def _reject_broken(read: Sequence[_Read], columns: int, validation: Validation) -> None:
    broken = {row: reason for each in read for row, reason in each.broken.items()}
    for row, reason in broken.items():
        validation.reject(row, reason)
    if broken:
        expectation = Expectation("expect_table_column_count_to_equal", {"value": columns}, FIELDS)
        validation.outcomes.append(Outcome("rows", expectation, False, unexpected=np.array(sorted(broken))))


def _reject_unreadable(name: str, column: Column, read: Sequence[_Read], validation: Validation) -> None:
    cells = {row: text for each in read for row, text in each.unreadable.get(name, {}).items()}
    if not cells:
        return
    places, sentence = np.array(sorted(cells)), f"{name} must be {described(column)}"
    validation.unreadable[name] = np.zeros(len(validation.table), dtype=bool)
    validation.unreadable[name][places] = True
    validation.hints[name] = hint(name, cells[int(places[0])], column)
    for row, text in cells.items():
        validation.reject(row, f"{sentence} (is {text[:LONGEST_VALUE]!r})")
    expectation = Expectation("expect_column_values_to_be_of_type", {"column": name, "type_": column.type}, sentence)
    validation.outcomes.append(Outcome("rows", expectation, False, unexpected=places))


def _judge_rows(wide: pd.DataFrame, expectations: Sequence[Expectation], validation: Validation) -> None:
    """Reject the rows that fail an expectation; those that must be unique come last, where one of them is kept."""
    kept_one = [each for each in expectations if each.keep != "none"]
    outcomes = check(wide, [each for each in expectations if each.keep == "none"], "rows")
    for outcome in outcomes:
        column = outcome.expectation.arguments.get("column")
        bad = validation.unreadable.get(str(column))
        validation.outcomes.append(outcome if bad is None else _without(outcome, bad))
        _add_reasons(validation, validation.outcomes[-1], wide)
    for expectation in kept_one:
        places = np.flatnonzero(~validation.rejected)
        if validation.in_many_files:  # first and last are not a matter of the files' names
            places = places[by_content(wide.iloc[places])]
        values = wide[expectation.unique_columns].iloc[places]
        present = values.notna().any(axis=1).to_numpy()
        keep: Any = expectation.keep
        again = np.sort(places[values.duplicated(keep=keep).to_numpy() & present])
        outcome = Outcome("rows", expectation, not len(again), unexpected=again)
        validation.outcomes.append(outcome)
        _add_reasons(validation, outcome, wide)


def _without(outcome: Outcome, bad: np.ndarray) -> Outcome:
    """An outcome of a column without the rows whose cell cannot be read: they have their reason."""
    rows = outcome.unexpected[~bad[outcome.unexpected]]
    return replace(outcome, unexpected=rows, success=not len(rows))


def _add_reasons(validation: Validation, outcome: Outcome, table: pd.DataFrame) -> None:
    """Reject an outcome's rows for its reason, with the row's value where one column is judged."""
    column = outcome.expectation.arguments.get("column")
    sentence = reason_of(outcome.expectation)
    for row in outcome.unexpected:
        value = table[column].iloc[row] if column else None
        shown = f" (is {_shown(value)})" if column and not pd.isna(value) else ""
        validation.reject(int(row), f"{sentence}{shown}")


def _shown(value: Any) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def most_frequent(validation: Validation) -> str:
    """The reason for which most rows were rejected, and in which of several files."""
    of_rows = [outcome for outcome in validation.outcomes if outcome.level == "rows"]
    most = max(of_rows, key=lambda outcome: len(outcome.unexpected))
    return f"{reason_of(most.expectation)}{validation.files_of(most.unexpected)}"


def _rejected_rows(validation: Validation) -> pd.DataFrame:
    """The rejected rows with their place in their file, from 1, and the reasons, in front.

    The name of the file stands before them where there are several.
    """
    name, many = "file" if "file" not in validation.table else "file_", validation.in_many_files
    if not validation.rejected.any():
        return pd.DataFrame(columns=[*([name] if many else []), "row", "reasons", *validation.table.columns])
    rows = validation.table[validation.rejected]
    places = np.flatnonzero(validation.rejected)
    files, numbers = validation.places(places)
    front: dict[str, Any] = {name: files} if many else {}
    front |= {"row": numbers, "reasons": [validation.reasons[place] for place in places]}
    return pd.concat([pd.DataFrame(front, index=rows.index), rows], axis=1)


def _csv(table: pd.DataFrame) -> str:
    buffer = io.StringIO()
    table.to_csv(buffer, index=False)
    return buffer.getvalue()


if __name__ == "__main__":
    run_job(main)
