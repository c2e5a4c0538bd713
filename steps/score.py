"""Score: predict the rows of Parquet files by a trained model, file by file and batch by batch.

Each file of the input gives one of the same name, with the columns that it has and those of the predictions. A host
scores the files that it is given, so several hosts with sharded inputs (ShardedByS3Key) make together what one makes.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from steps.archive import load_archive
from steps.arrow_columns import ArrowColumns
from steps.artifacts import replacing, write_json
from steps.csv_file import refuse_doubled
from steps.data_set import Part, parts_of
from steps.failure import JobArgumentParser, JobError, did_you_mean, listed, run_job
from steps.hosts import PROCESSING, hosts_of
from steps.model import Model

if TYPE_CHECKING:
    from pyarrow import RecordBatch, Schema

INPUT, OUTPUT = Path("/opt/ml/processing/input"), Path("/opt/ml/processing/output")
ROWS = 1 << 16  # of a batch, and of a row group of the output
INVALID = "the model predicts what is not a number"
# What is added to a part: predicted_TARGET, and these behind it.
SUFFIXES = {"": pa.float64(), "_lower": pa.float64(), "_upper": pa.float64(), "_warnings": pa.string(),
            "_fault": pa.string()}  # fmt: skip


@dataclass
class Scored:
    """What a host has scored. unpredicted: rows without a prediction; warned: those unlike the training rows.

    absent: optional column -> how many of the parts lack it. first_fault: of a row without a prediction.
    """

    parts: int = 0
    rows: int = 0
    unpredicted: int = 0
    warned: int = 0
    coverage: float = 0.0
    first_fault: str | None = None
    absent: Counter[str] = field(default_factory=Counter)


def main(arguments: Sequence[str]) -> None:
    """Run the job with command-line arguments. Raises JobError."""
    parser = JobArgumentParser(prog="steps.score", description=__doc__)
    parser.add_argument("--model", type=Path, default=INPUT / "model")
    parser.add_argument("--rows", type=Path, default=INPUT / "rows")
    parser.add_argument("--predictions", type=Path, default=OUTPUT / "predictions")
    parser.add_argument("--summary", type=Path, default=OUTPUT / "summary")
    options = parser.parse_args(arguments)
    hosts = hosts_of(PROCESSING)
    scored = score(load_archive(options.model / "model.tar.gz"), _share(options.rows, hosts.count), options.predictions)
    write_json(options.summary / f"{hosts.current}.json", vars(scored))


def score(model: Model, parts: Sequence[Part], folder: Path) -> Scored:
    """Write each part with its predictions below a folder, under its name.

    JobError that names the part, before any is scored: for one that cannot be read as Parquet or lacks a column that
    the model needs. A row that the endpoint would refuse has no prediction, and its fault is told beside it.
    """
    scored = Scored(coverage=model.interval.coverage)
    for part in parts:
        scored.absent.update(_absent(part, model))
    began = time.monotonic()
    for part in parts:
        _score_part(model, part, folder / part.name, scored)
        scored.parts += 1
        pace = scored.rows / max(time.monotonic() - began, 1e-9)
        print(f"{scored.parts} of {len(parts)} files, {scored.rows:,} rows, {pace:,.0f} a second", flush=True)
    return scored


def _share(folder: Path, hosts: int) -> list[Part]:
    """The files of this host; one of several may have got none but what is no data."""
    try:
        return parts_of(folder)
    except JobError:
        if hosts == 1:
            raise
        print("There is no file for this host.", flush=True)
        return []


def _absent(part: Part, model: Model) -> list[str]:
    """The optional columns that a part lacks. JobError where it cannot be scored."""
    inputs = model.features.inputs
    with _named(part):
        schema = pyarrow.parquet.read_schema(part.path)
    found = list(schema.names)
    refuse_doubled(found, part.name)
    taken = [name for name in _added(model) if name in found]
    if taken:
        raise JobError(f"{part.name} has a column {taken[0]}, which is that of the predictions: rename it.")
    lacking = [name for name in inputs if name not in found and name not in part.partition]
    needed = [name for name in lacking if not inputs[name].optional]
    if needed:
        others = [name for name in found if name not in inputs]
        hints = did_you_mean(needed[0], others).replace("did you mean", "is it") or "."
        raise JobError(f"{part.name} lacks {listed(needed)}, which the model needs{hints}")
    return lacking


def _score_part(model: Model, part: Part, path: Path, scored: Scored) -> None:
    first = 0
    with _named(part), pyarrow.parquet.ParquetFile(part.path) as file, replacing(path) as temporary:
        schema = _schema(file.schema_arrow, model)
        with pyarrow.parquet.ParquetWriter(temporary, schema) as writer:
            for batch in file.iter_batches(ROWS):
                arrays = _predictions(model, batch, part, first, scored)
                writer.write_batch(pa.RecordBatch.from_arrays([*batch.columns, *arrays], schema=schema), ROWS)
                first += batch.num_rows
    scored.rows += first


def _predictions(model: Model, batch: RecordBatch, part: Part, first: int, scored: Scored) -> list[Any]:
    """The columns that are added to a batch, whose first row is at `first` (from 0) of its part."""
    given = ArrowColumns(batch, model.features.inputs, part.partition)
    answer = model.answer(given.columns, batch.num_rows)
    faults = given.faults
    for row in np.flatnonzero(~np.isfinite(np.stack(answer)).all(axis=0)).tolist():
        faults.setdefault(row, INVALID)
    warnings = model.features.familiarity.warnings(given.columns)
    told = {row: "; ".join(clauses) for row, clauses in warnings.items() if row not in faults}
    unpredicted = np.zeros(batch.num_rows, dtype=bool)
    unpredicted[list(faults)] = True
    if faults and scored.first_fault is None:
        row = min(faults)
        scored.first_fault = f"{part.name}, row {first + row + 1}, {faults[row]}"
    scored.unpredicted += len(faults)
    scored.warned += len(told)
    numbers = [pa.array(values, pa.float64(), mask=unpredicted) for values in answer]
    return [*numbers, _texts(told, batch.num_rows), _texts(faults, batch.num_rows)]


def _texts(told: dict[int, str], rows: int) -> Any:
    if not told:
        return pa.nulls(rows, pa.string())
    return pa.array([told.get(row) for row in range(rows)], pa.string())


def _schema(given: Schema, model: Model) -> Schema:
    """The columns of a part and those that are added; which model made them is kept beside the columns."""
    for name, kind in _added(model).items():
        given = given.append(pa.field(name, kind))
    made = {"model": model.identity, "coverage": str(model.interval.coverage)}
    return given.with_metadata(
        {**(given.metadata or {}), **{key.encode(): each.encode() for key, each in made.items()}}
    )


def _added(model: Model) -> dict[str, Any]:
    return {f"predicted_{model.features.target}{suffix}": kind for suffix, kind in SUFFIXES.items()}


@contextmanager
def _named(part: Part) -> Iterator[None]:
    """JobError that names the part where it turns out not to be Parquet."""
    try:
        yield
    except pa.ArrowInvalid as error:
        raise _unreadable(part, error) from error
    except OSError as error:  # zstd's and snappy's faults; those of the disk have a number
        if error.errno is not None:
            raise
        raise _unreadable(part, error) from error


def _unreadable(part: Part, error: Exception) -> JobError:
    return JobError(
        f"{part.name} cannot be read as Parquet ({str(error).splitlines()[0].rstrip('.')}): write it again."
    )


if __name__ == "__main__":
    run_job(main)
