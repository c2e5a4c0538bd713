"""Validate: divide the rows of the data into accepted and rejected ones, each rejection with its reasons."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from steps.accepted_rows import accepted_places, write_accepted
from steps.artifacts import replacing, write_json, write_text
from steps.data_set import parts_of
from steps.data_settings import DEFAULT_PATH, PreparationSettings, load_as
from steps.examination import examine, most_frequent
from steps.failure import JobArgumentParser, JobError, run_job
from steps.hosts import refuse_several
from steps.kept_parts import KeptFolders
from steps.row_store import RowStore
from steps.validation import Validation, reason_of
from steps.validation_report import SHOWN_ROWS, column_summary, render
from steps.wheels import ensure
from steps.workers import meanwhile

NEEDED = ("great-expectations",)
WHICH = "`check --data` on the same data says which"  # a failed job leaves no file behind


def main(arguments: Sequence[str]) -> None:
    """Run the job with command-line arguments. Raises JobError."""
    refuse_several()
    parser = JobArgumentParser(prog="steps.validate", description=__doc__)
    parser.add_argument("--input", type=Path, default=Path("/opt/ml/processing/input/data"))
    parser.add_argument("--output", type=Path, default=Path("/opt/ml/processing/output"))
    parser.add_argument("--settings", type=Path, default=DEFAULT_PATH)
    parser.add_argument("--wheels", type=Path, default=Path("/opt/ml/processing/input/wheels"))
    parser.add_argument("--kept", type=Path, default=Path("/opt/ml/processing/input/kept"))
    options = parser.parse_args(arguments)
    ensure(NEEDED, options.wheels)
    kept = options.kept if options.kept.is_dir() else None
    counts = validate(options.input, options.output, load_as(PreparationSettings, options.settings), kept)
    print(f"{counts['read']:,} rows: {counts['accepted']:,} accepted, {counts['rejected']:,} rejected")


def validate(source: Path, output: Path, settings: PreparationSettings, kept: Path | None = None) -> dict[str, Any]:
    """Write validated/, rejected/ and report/ under `output`; return the counts of rows.

    validated/data.parquet: accepted rows with the settings' types, those of several files in an order that only their
    values decide. rejected/rejected.csv: each rejected
    row with its place in its file and its reasons. report/: index.html and validation.json. When the
    job fails there are report and rejected rows, but no validated rows. Where several files are given, and in `kept`
    what earlier jobs have kept of single ones, kept/ has what this job has judged. Raises JobError.
    """
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output, prefix=".rows.") as folder:
        validation = Validation(rows=RowStore(Path(folder)))
        try:
            parts = parts_of(source)
            folders = KeptFolders(kept, output / "kept") if kept and len(parts) > 1 else None
            known = examine(parts, settings, validation, folders)
            if folders:
                print(f"{known:,} of {len(parts):,} files are known from earlier jobs.", flush=True)
            _refuse(validation, settings)
        except JobError as error:
            validation.failure = str(error)
        summary = validation.summary()
        write_json(output / "report" / "validation.json", summary)
        rejected = _write_rejected(output / "rejected" / "rejected.csv", validation)
        accepted = None if validation.failure else output / "validated" / "data.parquet"
        page = render(summary, _summarized_and_written(validation, accepted), rejected)
        write_text(output / "report" / "index.html", page)
        if validation.failure:
            raise JobError(validation.failure)
    counts: dict[str, Any] = summary["rows"]
    return counts


def _refuse(validation: Validation, settings: PreparationSettings) -> None:
    """Raise JobError where too many rows are rejected, or the accepted ones are not as the settings expect."""
    rows, rejected, name = len(validation.rows), int(validation.rejected.sum()), validation.file
    if rejected == rows:
        first = f"({validation.place(0)}: {validation.reasons[0]}){validation.advice}"
        raise JobError(f"All {rows:,} rows of {name} were rejected {first}; {WHICH}.")
    limit = settings.validation.max_rejected_share
    if rejected > limit * rows:
        raise JobError(
            f"{rejected:,} of {rows:,} rows were rejected, {rejected / rows:.2%} where {limit:.2%} is allowed "
            f"(most often: {most_frequent(validation)}){validation.advice}; {WHICH}."
        )
    failed = [outcome for outcome in validation.outcomes if outcome.level == "table" and not outcome.success]
    if failed:
        more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
        what = f"{reason_of(failed[0].expectation)}, but is {failed[0].observed}"
        raise JobError(f"The data do not meet the expectations: {what}{more}; {WHICH}.")


def _summarized_and_written(validation: Validation, accepted: Path | None) -> list[dict[str, Any]]:
    """What the report says of each column of the data; at the same time the accepted rows are written, if to a path."""
    rows = validation.rows
    names = validation.names if len(validation.rejected) else []  # of data that could not be read nothing is said
    writing = [partial(write_accepted, accepted, validation, accepted_places(validation))] if accepted else []
    with meanwhile(writing, 1 if rows.in_one_batch else None) as written:
        summaries = [column_summary(rows.columns([name])[name]) for name in names]
        for end in written:
            end()
    return summaries


def _write_rejected(path: Path, validation: Validation) -> pd.DataFrame:
    """Write the rejected rows; return as many of them as the report shows."""
    shown, rows = list[pd.DataFrame](), 0
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        for table in _rejected_rows(validation):
            table.to_csv(stream, index=False, header=not shown)
            shown.append(table.head(SHOWN_ROWS - rows))
            rows += len(shown[-1])
        if not shown:
            names = [*_front(validation), *(validation.names if len(validation.rejected) else ())]
            pd.DataFrame(columns=names).to_csv(stream, index=False)
    return pd.concat(shown, ignore_index=True) if shown else pd.DataFrame()


def _front(validation: Validation) -> list[str]:
    """The columns in front of a rejected row's own; one of them has another name where the data has that."""
    name = "file" if "file" not in validation.names else "file_"
    return [*([name] if validation.in_many_files else []), "row", "reasons"]


def _rejected_rows(validation: Validation) -> Iterator[pd.DataFrame]:
    """The rejected rows with their place in their file, from 1, and the reasons, in front, batch by batch.

    The name of the file stands before them where there are several.
    """
    if not validation.rejected.any():
        return
    for places, table in validation.rows.batches(validation.names, validation.rejected):
        if len(places):
            files, numbers = validation.places(places)
            reasons = [validation.reasons[place] for place in places.tolist()]
            told = [*([files] if validation.in_many_files else []), numbers, reasons]
            yield pd.concat([pd.DataFrame(dict(zip(_front(validation), told, strict=True))), table], axis=1)


if __name__ == "__main__":
    run_job(main)
