"""Validate: divide the data file's rows into accepted and rejected ones, each rejection with its reasons."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from steps.artifacts import write_json, write_parquet, write_text
from steps.derived import with_derived
from steps.expectations import Outcome, check, expectations_of_columns
from steps.failure import JobArgumentParser, JobError, run_job
from steps.raw_data import find_file, read_file, typed
from steps.settings import DEFAULT_PATH, Expectation, JobSettings, load
from steps.validation_report import render
from steps.wheels import ensure

NEEDED = ("great-expectations",)


@dataclass
class Validation:
    """All that is known about the data file so far; `failure` is the sentence that the job fails with."""

    file: str = ""
    sha256: str = ""
    table: pd.DataFrame = field(default_factory=pd.DataFrame)
    rejected: np.ndarray = field(default_factory=lambda: np.array([], dtype=bool))
    reasons: list[str] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    failure: str | None = None

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
        _examine(source, settings, validation)
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


def _examine(source: Path, settings: JobSettings, validation: Validation) -> None:
    """Fill `validation` step by step; raise JobError at the first reason to fail the job."""
    path = find_file(source)
    validation.file, validation.sha256 = path.name, _sha256(path)
    validation.table = typed(read_file(path), settings.data.columns, path.name)
    rows = len(validation.table)
    validation.rejected = np.zeros(rows, dtype=bool)
    wide = with_derived(validation.table, settings.validation.derived, settings.data.types)
    by_row = [*expectations_of_columns(settings.data.columns), *settings.validation.rows]
    validation.outcomes = check(wide, by_row, "rows")
    validation.reasons = [""] * rows
    for outcome in validation.outcomes:
        validation.rejected[outcome.unexpected] = True
        _add_reasons(validation.reasons, outcome, wide)
    rejected = int(validation.rejected.sum())
    if rejected == rows:
        first = f"row 1: {validation.reasons[0]}"
        raise JobError(f"All {rows:,} rows of {path.name} were rejected ({first}); see rejected.csv.")
    limit = settings.validation.max_rejected_share
    if rejected > limit * rows:
        raise JobError(
            f"{rejected:,} of {rows:,} rows were rejected, {rejected / rows:.2%} where {limit:.2%} is allowed "
            f"(most often: {_most_frequent(validation.outcomes)}); see rejected.csv."
        )
    accepted = wide[~validation.rejected].reset_index(drop=True)
    validation.outcomes += check(accepted, settings.validation.table, "table")
    failed = [outcome for outcome in validation.outcomes if outcome.level == "table" and not outcome.success]
    if failed:
        more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
        what = f"{reason_of(failed[0].expectation)}, but is {failed[0].observed}"
        raise JobError(f"The data are not as expected: {what}{more}; see the validation report.")


def _add_reasons(reasons: list[str], outcome: Outcome, table: pd.DataFrame) -> None:
    """Append an outcome's reason, with the row's value where one column is judged, to its rows' reasons."""
    column = outcome.expectation.arguments.get("column")
    sentence = reason_of(outcome.expectation)
    for row in outcome.unexpected:
        value = table[column].iloc[row] if column else None
        shown = f" (is {_shown(value)})" if column and not pd.isna(value) else ""
        reasons[row] += f"{'; ' if reasons[row] else ''}{sentence}{shown}"


def _shown(value: Any) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _most_frequent(outcomes: list[Outcome]) -> str:
    return reason_of(max(outcomes, key=lambda outcome: len(outcome.unexpected)).expectation)


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
