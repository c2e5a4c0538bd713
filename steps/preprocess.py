"""Preprocess: divide the validated rows and compute the features that the models are trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from steps import comparables, fitting
from steps import features as feature_module
from steps.artifacts import write_json, write_parquet
from steps.columns import rows_of
from steps.data_checks import check_parts, refuse_severe
from steps.data_settings import DEFAULT_PATH, DataSettings, PreparationSettings, load_as
from steps.divided_rows import divided_rows
from steps.failure import JobArgumentParser, run_job
from steps.features import Features
from steps.hosts import ALONE, PROCESSING, Hosts, hosts_of
from steps.joined_hosts import joined
from steps.kept_findings import keep_findings
from steps.part_files import write_parts
from steps.part_sizes import parts_of_rows
from steps.raw_data import find_file
from steps.row_source import InMemory
from steps.split import RESERVE, row_keys
from steps.workers import meanwhile

SEEN = "_seen.parquet"  # beside the training rows: its underscore says that it is not a data file


def main(arguments: Sequence[str]) -> None:
    """Run the job with command-line arguments. Raises JobError."""
    parser = JobArgumentParser(prog="steps.preprocess", description=__doc__)
    parser.add_argument("--input", type=Path, default=Path("/opt/ml/processing/input/validated"))
    parser.add_argument("--output", type=Path, default=Path("/opt/ml/processing/output"))
    parser.add_argument("--settings", type=Path, default=DEFAULT_PATH)
    parser.add_argument("--resources", type=Path, default=PROCESSING, help="the file that names the hosts of the job")
    options = parser.parse_args(arguments)
    hosts = hosts_of(options.resources)
    with joined(hosts):
        counts = preprocess(options.input, options.output, load_as(PreparationSettings, options.settings), hosts)
    if hosts.is_first:
        print(", ".join(f"{name}: {count:,} rows" for name, count in counts.items()))


def preprocess(source: Path, output: Path, settings: PreparationSettings, hosts: Hosts = ALONE) -> dict[str, int]:
    """Write train/, validation/, test/, rows/, features/ and any reserve/ below `output`; return the rows of each part.

    The parts of train and validation hold the features and the target; test.parquet and reserve.parquet hold raw
    rows, from which an evaluation computes the features as an endpoint does. Only training rows are learned from; rows/
    holds them raw, to compare the test part with them, and SEEN, the keys of all rows that training sees. With
    data.comparables, features/ holds the raw training rows that the model is to carry. Raises
    JobError where the data checks find that the test rows would not tell the truth, before anything is trained.

    Several hosts, each with the whole `source`, write together what one writes, each file on one host: the first
    learns, the last checks and writes the raw rows, and all but the last share the rows whose features are computed.
    """
    parts = divided_rows(find_file(source), settings.data, settings.split)
    check = partial(_check_and_write_raw_rows, parts, output, settings)
    with meanwhile([check] if hosts.is_last else []) as checked:
        fitted, own = fitting.learn(parts["train"], settings.data, hosts)
        for end in checked:
            end()

    def training(batch: slice) -> pd.DataFrame:
        rows = parts["train"].iloc[batch]
        return _with_target(fitting.training_table(rows, rows_of(own, batch), fitted), rows, fitted)

    def validating(batch: slice) -> pd.DataFrame:
        rows = parts["validation"].iloc[batch]
        return _with_target(feature_module.transform(rows, fitted), rows, fitted)

    write = partial(_write_features, fitted, parts["train"], output / "features", settings.data)
    with meanwhile([write] if hosts.is_first else []) as written:
        for name, table_of in (("train", training), ("validation", validating)):
            share = hosts.share(parts_of_rows(len(parts[name])), hosts.but_last)
            write_parts(output / name, len(parts[name]), table_of, share)
        for end in written:
            end()
    return {name: len(rows) for name, rows in parts.items()}


def _check_and_write_raw_rows(parts: Mapping[str, pd.DataFrame], output: Path, settings: PreparationSettings) -> None:
    findings = check_parts(InMemory(parts["train"]), InMemory(parts["test"]), settings)
    for finding in findings:
        if finding.severity == "warning":
            print(f"warning: {finding.text}", flush=True)
    refuse_severe(findings)
    folders = {"train": "rows", "test": "test", RESERVE: RESERVE}
    files = {name: output / folder / f"{folder}.parquet" for name, folder in folders.items() if name in parts}
    for name, file in files.items():
        write_parquet(file, parts[name])
    keep_findings(findings, files["train"], files["test"], settings)
    seen = np.concatenate([row_keys(parts[name], settings.data) for name in ("train", "validation")])
    write_parquet(output / "rows" / SEEN, pd.DataFrame({"key": seen}))


def _write_features(fitted: Features, rows: pd.DataFrame, folder: Path, data: DataSettings) -> None:
    """What the models need of the features, with the training rows that they are to carry."""
    write_json(folder / "features.json", fitted.to_json(), indent=None)
    told = data.comparables
    if told is not None:
        write_parquet(folder / comparables.FILE, comparables.carried(rows, [*fitted.inputs, fitted.target, *told.show]))
        write_json(folder / comparables.SETTINGS, {"count": told.count, "show": list(told.show)})


def _with_target(table: pd.DataFrame, rows: pd.DataFrame, fitted: Features) -> pd.DataFrame:
    return table.assign(**{fitted.target: rows[fitted.target]})


if __name__ == "__main__":
    run_job(main)
