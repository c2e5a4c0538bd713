"""Athena on this machine: DuckDB answers the query that is an input of a processing job (a handler of local SageMaker).

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_AthenaDatasetDefinition.html
"""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

# As many rows as the steps read at a time: two of DuckDB's row groups, 245,760.
GROUPS_OF_A_FILE = 2
# No request leaves this machine: what DuckDB does not have, it must not fetch.
OFFLINE: dict[str, Any] = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
MISSING = (
    "DuckDB, which answers queries on this machine, is not installed: run {python} -m pip install 'duckdb >=2, <3'"
)


class QueryFailed(Exception):
    """Why there is no result, in one sentence."""


def answer(definition: Mapping[str, Any], _context: Any) -> None:
    """Write the result of an AthenaDatasetDefinition into its ResultFolder, as Parquet files. Raises QueryFailed.

    The tables are those that `run_pipeline.py --local` has listed for the database, below the project's prefix.
    """
    folder = Path(definition["ResultFolder"])
    if definition["OutputFormat"] != "PARQUET":
        raise QueryFailed(f"the OutputFormat {definition['OutputFormat']} is not supported here: use PARQUET")
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        write_result(definition, _fetched(definition, Path(scratch)), folder)


def write_result(definition: Mapping[str, Any], tables: Mapping[str, list[Path]], folder: Path) -> None:
    """Write the result of a query over tables, each the files it is made of, as files named as Athena names them.

    The names of Athena's files have no ending. Raises QueryFailed.
    """
    try:
        import duckdb
    except ModuleNotFoundError:
        raise QueryFailed(MISSING.format(python=os.environ.get("VIRTUAL_ENV", ".venv") + "/bin/python")) from None
    database = f"{_quoted(definition['Catalog'])}.{_quoted(definition['Database'])}"
    query = definition["QueryString"].strip().removesuffix(";")
    with duckdb.connect(config=OFFLINE) as connection:
        try:
            connection.execute(f"ATTACH ':memory:' AS {_quoted(definition['Catalog'])}")
            connection.execute(f"CREATE SCHEMA {database}; USE {database}")
            for name, files in tables.items():
                connection.execute(f"CREATE VIEW {_quoted(name)} AS FROM {_reader(name, files)}")
            connection.execute(
                f"COPY ({query}\n) TO {_text(str(folder))} (FORMAT parquet, ROW_GROUPS_PER_FILE {GROUPS_OF_A_FILE}, "
                "FILENAME_PATTERN 'part-{i}', OVERWRITE_OR_IGNORE)"
            )
        except duckdb.Error as error:
            raise QueryFailed(_in_one_line(str(error))) from None
    for path in folder.glob("*.parquet"):
        path.rename(path.with_suffix(""))


def _fetched(definition: Mapping[str, Any], scratch: Path) -> dict[str, list[Path]]:
    """The files of each table of the database, downloaded."""
    import boto3

    s3 = boto3.client("s3")
    bucket, project = definition["OutputS3Uri"].removeprefix("s3://").split("/")[:2]
    key = f"{project}/tables/{definition['Catalog']}/{definition['Database']}.json"
    try:
        places = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    except s3.exceptions.NoSuchKey:
        raise QueryFailed(
            f"no table of {definition['Database']} is known here: name the files of each in query.tables, and start "
            "the execution with `run_pipeline.py --local run` or `start`"
        ) from None
    return {table: _files(s3, uri, scratch / table) for table, uri in places.items()}


def _files(s3: Any, uri: str, folder: Path) -> list[Path]:
    place = urlsplit(uri)
    bucket, key = place.netloc, place.path.lstrip("/")
    beginning = key if key.endswith("/") else key.rpartition("/")[0] + "/"
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key)
    files = []
    for found in (entry["Key"] for page in pages for entry in page.get("Contents", [])):
        path = folder / found.removeprefix(beginning)
        path.parent.mkdir(parents=True, exist_ok=True)
        s3.download_file(bucket, found, str(path))
        files.append(path)
    return files


def _reader(table: str, files: list[Path]) -> str:
    """The call of DuckDB that reads a table: its files are all Parquet, or all text; a folder may say year=2015."""
    kinds = {path.name.endswith(".parquet") for path in files}
    if len(kinds) != 1:
        raise QueryFailed(f"the table {table} has {'Parquet and other files' if kinds else 'no file'}: give one kind")
    listed = ", ".join(_text(str(path)) for path in files)
    read = "read_parquet" if kinds == {True} else "read_csv"
    return f"{read}([{listed}], hive_partitioning=true, union_by_name=true)"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _in_one_line(message: str) -> str:
    """What DuckDB says, without the picture of the place."""
    return " ".join(message.partition("\n\nLINE ")[0].split())
