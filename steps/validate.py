"""Validate: divide the data file's rows into accepted and rejected ones, each rejection with its reasons."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from steps.artifacts import write_json, write_parquet, write_text
from steps.conversion import described
from steps.derived import with_derived
from steps.expectations import Outcome, check, expectations_of_columns
from steps.failure import JobArgumentParser, JobError, run_job
from steps.format_hints import hint
from steps.raw_data import converted_columns, find_file, read_rows
from steps.settings import DEFAULT_PATH, Expectation, JobSettings, load
from steps.validation_report import render
from steps.wheels import ensure

NEEDED = ("great-expectations",)
FIELDS = "the row must have as many fields as the header"
LONGEST_VALUE = 60  # characters of a cell that are shown in a reason


@dataclass
class Validation:
    """All that is known about the data file so far; `failure` is the sentence that the job fails with.

    unreadable: column -> marks the rows whose value is not of the column's type. hints: column -> what to change.
    """

    file: str = ""
    sha256: str = ""
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
    parser = JobArgumentParser(prog="steps.validate", description=__doc__)
    parser.add_argument("--input", type=Path, default=Path("/opt/ml/processing/input/data"))
    parser.add_argument("--output", type=Path, default=Path("/opt/ml/processing/output"))
    parser.add_argument("--settings", type=Path, default=DEFAULT_PATH)
    parser.add_argument("--wheels", type=Path, default=Path("/opt/ml/processing/input/wheels"))
    options = parser.parse_args(arguments)
    ensure(NEEDED, options.wheels)
    counts = validate(options.input, options.output, load(options.settings))
    print(f"{counts['read']:,} rows: {counts['accepted']:,} accepted, {counts['rejected']:,} rejected")


def validate(source: Path, output: Path, settings: JobSettings) -> dict[str, Any]:
    """Write validated/, rejected/ and report/ under `output`; return the counts of rows.

    validated/data.parquet: accepted rows with the settings' types. rejected/rejected.csv: each rejected
    row with its place in the file and its reasons. report/: index.html and validation.json. When the
    job fails there are report and rejected rows, but no validated rows. Raises JobError.
    """
    validation = Validation()
    try:
        examine(find_file(source), settings, validation)
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


def _sha256(path: Path) -> str:
    content = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            content.update(block)
    return content.hexdigest()


def examine(path: Path, settings: JobSettings, validation: Validation) -> None:
    """Fill `validation` with what is known of a file; JobError where its columns are not those of the settings."""
    validation.file, validation.sha256 = path.name, _sha256(path)
    _read(path, settings, validation)
    wide = with_derived(validation.table, settings.validation.derived, settings.data.types)
    by_row = [*expectations_of_columns(settings.data.columns), *settings.validation.rows]
    _judge_rows(wide, by_row, validation)
    if not validation.rejected.all():
        accepted = wide[~validation.rejected].reset_index(drop=True)
        validation.outcomes += check(accepted, settings.validation.table, "table")


def _refuse(validation: Validation, settings: JobSettings) -> None:
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
        raise JobError(f"The data are not as expected: {what}{more}; see the validation report.")


def _read(path: Path, settings: JobSettings, validation: Validation) -> None:
    """The typed rows; a row with a cell that cannot be read, or with too many fields, is rejected."""
    columns = settings.data.columns
    raw, broken = read_rows(path, settings.data.format)
    validation.table, validation.unreadable = converted_columns(raw, columns, path.name)
    validation.rejected = np.zeros(len(raw), dtype=bool)
    validation.reasons = [""] * len(raw)
    for row, reason in broken.items():
        validation.reject(row, reason)
    if broken:
        expectation = Expectation("expect_table_column_count_to_equal", {"value": len(columns)}, FIELDS)
        validation.outcomes.append(Outcome("rows", expectation, False, unexpected=np.array(sorted(broken))))
    for name, bad in validation.unreadable.items():
        places, sentence = np.flatnonzero(bad), f"{name} must be {described(columns[name])}"
        validation.hints[name] = hint(name, str(raw[name].iloc[places[0]]), columns[name])
        for place in places:
            validation.reject(int(place), f"{sentence} (is {str(raw[name].iloc[place])[:LONGEST_VALUE]!r})")
        expectation = Expectation(
            "expect_column_values_to_be_of_type", {"column": name, "type_": columns[name].type}, sentence
        )
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
    """The rejected rows with their place in the file, from 1, and the reasons, in front."""
    if not validation.rejected.any():
        return pd.DataFrame(columns=["row", "reasons", *validation.table.columns])
    rows = validation.table[validation.rejected]
    places = np.flatnonzero(validation.rejected)
    reasons = [validation.reasons[place] for place in places]
    return pd.concat([pd.DataFrame({"row": places + 1, "reasons": reasons}, index=rows.index), rows], axis=1)


def _csv(table: pd.DataFrame) -> str:
    buffer = io.StringIO()
    table.to_csv(buffer, index=False)
    return buffer.getvalue()


if __name__ == "__main__":
    run_job(main)
