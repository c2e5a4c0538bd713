"""Validate: divide the rows of the data into accepted and rejected ones, each rejection with its reasons."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
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
from steps.raw_data import converted_columns, read_part
from steps.validation_report import render
from steps.validation_settings import Expectation
from steps.wheels import ensure

NEEDED = ("great-expectations",)
FIELDS = "the row must have as many fields as the header"
LONGEST_VALUE = 60  # characters of a cell that are shown in a reason


@dataclass
class Validation:
    """All that is known about the data so far; `failure` is the sentence that the job fails with.

    `file` is the name of the only file, or says how many there are; `files` has the rows of each by its name.
    unreadable: column -> marks the rows whose value is not of the column's type. hints: column -> what to change.
    """

    file: str = ""
    sha256: str = ""
    files: dict[str, int] = field(default_factory=dict)
    table: pd.DataFrame = field(default_factory=pd.DataFrame)
    rejected: np.ndarray = field(default_factory=lambda: np.array([], dtype=bool))
    reasons: list[str] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    unreadable: dict[str, np.ndarray] = field(default_factory=dict)
    hints: dict[str, str] = field(default_factory=dict)
    failure: str | None = None

    @property
    def advice(self) -> str:
        """What to change so that most of the values that cannot be read can be, as a part of a sentence."""
        if not self.unreadable:
            return ""
        worst = max(self.unreadable, key=lambda name: int(self.unreadable[name].sum()))
        return f": {self.hints[worst]}"

    def reject(self, row: int, reason: str) -> None:
        """Reject a row, given by its place from 0, for one more reason."""
        self.rejected[row] = True
        self.reasons[row] += f"{'; ' if self.reasons[row] else ''}{reason}"

    def summary(self) -> dict[str, Any]:
        """The content of validation.json."""
        rows, rejected = len(self.table), int(self.rejected.sum())
        return {
            "status": "failed" if self.failure else "passed",
            "reason": self.failure,
            "file": self.file,
            "sha256": self.sha256,  # what the URI of the data held at the time
            "files": self.files,
            "rows": {
                "read": rows,
                "accepted": rows - rejected,
                "rejected": rejected,
                "rejected_share": rejected / rows if rows else 0.0,
            },
            "expectations": [_outcome_summary(outcome) for outcome in self.outcomes],
        }


def _outcome_summary(outcome: Outcome) -> dict[str, Any]:
    return {
        "level": outcome.level,
        "expectation": outcome.expectation.expectation,
        "arguments": outcome.expectation.arguments,
        "reason": reason_of(outcome.expectation),
        "success": outcome.success,
        "unexpected_rows": len(outcome.unexpected),
        "observed": outcome.observed or None,
    }


def reason_of(expectation: Expectation) -> str:
    """The reason for people; the expectation itself if the settings give none."""
    arguments = ", ".join(f"{name}={value}" for name, value in expectation.arguments.items())
    return expectation.reason or f"{expectation.expectation}({arguments})"


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

    validated/data.parquet: accepted rows with the settings' types. rejected/rejected.csv: each rejected
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
        first = f"(row 1: {validation.reasons[0]}){validation.advice}"
        raise JobError(f"All {rows:,} rows of {name} were rejected {first}; see rejected.csv.")
    limit = settings.validation.max_rejected_share
    if rejected > limit * rows:
        raise JobError(
            f"{rejected:,} of {rows:,} rows were rejected, {rejected / rows:.2%} where {limit:.2%} is allowed "
            f"(most often: {most_frequent(validation.outcomes)}){validation.advice}; see rejected.csv."
        )
    failed = [outcome for outcome in validation.outcomes if outcome.level == "table" and not outcome.success]
    if failed:
        more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
        what = f"{reason_of(failed[0].expectation)}, but is {failed[0].observed}"
        raise JobError(f"The data do not meet the expectations: {what}{more}; see the validation report.")


def _read(parts: Sequence[Part], settings: PreparationSettings, validation: Validation) -> None:
    """The typed rows of all files; a row with a cell that cannot be read, or with too many fields, is rejected."""
    read = [_read_part(part, settings, validation) for part in parts]
    validation.table = pd.concat([each.table for each in read], ignore_index=True) if len(read) > 1 else read[0].table
    if validation.table.empty:
        raise JobError(f"The data file {validation.file} has columns but no rows.")
    validation.rejected = np.zeros(len(validation.table), dtype=bool)
    validation.reasons = [""] * len(validation.table)
    _reject_broken(read, len(settings.data.columns), validation)
    for name, column in settings.data.columns.items():
        _reject_unreadable(name, column, read, validation)


@dataclass(frozen=True)
class _Read:
    """One file: its typed rows, why a row is broken, and the unreadable cells of each column as they are written."""

    first: int
    table: pd.DataFrame
    broken: dict[int, str]
    unreadable: dict[str, dict[int, str]]


def _read_part(part: Part, settings: PreparationSettings, validation: Validation) -> _Read:
    raw, broken = read_part(part, settings.data.format)
    table, unreadable = converted_columns(raw, settings.data.columns, part.name)
    first = sum(validation.files.values())
    validation.files[part.name] = len(table)
    cells = {
        name: {first + int(row): str(raw[name].iloc[row]) for row in np.flatnonzero(bad)}
        for name, bad in unreadable.items()
    }
    return _Read(first, table, {first + row: reason for row, reason in broken.items()}, cells)


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
        values = wide[expectation.unique_columns].iloc[places]
        present = values.notna().any(axis=1).to_numpy()
        keep: Any = expectation.keep
        again = places[values.duplicated(keep=keep).to_numpy() & present]
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


def most_frequent(outcomes: list[Outcome]) -> str:
    """The reason for which most rows were rejected."""
    of_rows = [outcome for outcome in outcomes if outcome.level == "rows"]
    return reason_of(max(of_rows, key=lambda outcome: len(outcome.unexpected)).expectation)


def _rejected_rows(validation: Validation) -> pd.DataFrame:
    """The rejected rows with their place in their file, from 1, and the reasons, in front.

    The name of the file stands before them where there are several.
    """
    lengths = list(validation.files.values())
    name, many = "file" if "file" not in validation.table else "file_", len(lengths) > 1
    if not validation.rejected.any():
        return pd.DataFrame(columns=[*([name] if many else []), "row", "reasons", *validation.table.columns])
    rows = validation.table[validation.rejected]
    places = np.flatnonzero(validation.rejected)
    reasons = [validation.reasons[place] for place in places]
    ends = np.cumsum(lengths)
    files = np.searchsorted(ends, places, side="right")
    front: dict[str, Any] = {name: np.array(list(validation.files))[files]} if many else {}
    front |= {"row": places - (ends - lengths)[files] + 1, "reasons": reasons}
    return pd.concat([pd.DataFrame(front, index=rows.index), rows], axis=1)


def _csv(table: pd.DataFrame) -> str:
    buffer = io.StringIO()
    table.to_csv(buffer, index=False)
    return buffer.getvalue()


if __name__ == "__main__":
    run_job(main)
