"""Read data files as they were given, CSV or Parquet; their columns and types checked."""

from __future__ import annotations

import io
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd

from steps.column_settings import Column
from steps.conversion import convert, described
from steps.csv_file import read_csv, refuse_doubled, unpacked
from steps.data_set import Part
from steps.failure import JobError, did_you_mean, listed
from steps.text_format import FileFormat

PARQUET_MAGIC = b"PAR1"


def find_file(folder: Path) -> Path:
    """Return the one data file of a folder (or the file itself). Raises JobError if there is not one."""
    if folder.is_file():
        return folder
    if not folder.is_dir():
        raise JobError(f"There is no data: the folder {folder} does not exist.")
    files = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith((".", "_")))
    if not files:
        raise JobError(f"There is no data file in {folder}: give one CSV or Parquet file.")
    if len(files) > 1:
        found = listed(path.name for path in files[:5])
        raise JobError(f"{folder} holds {len(files)} files ({found}): give one CSV or Parquet file.")
    return files[0]


def read_file(path: Path, written: FileFormat | None = None) -> pd.DataFrame:
    """The rows of `read_rows` alone, those that are broken cut to the header."""
    return read_rows(path, written)[0]


def read_part(part: Part, written: FileFormat | None = None) -> tuple[pd.DataFrame, dict[int, str]]:
    """The rows of one file of a data set, with the columns that its folders tell of and that it has not itself."""
    table, broken = read_rows(part.path, written, part.name)
    told = {name: value for name, value in part.partition.items() if name not in table}
    return (table.assign(**told) if told else table), broken


def refuse_contradiction(part: Part, table: pd.DataFrame, columns: dict[str, Column]) -> None:
    """Raise JobError where a typed part holds another value than its folders say."""
    for name, told in part.partition.items():
        if name in table:
            value = convert(pd.Series([told], dtype=object), columns[name])[0].iloc[0]
            values = table[name]
            other = values.notna() if pd.isna(value) else values != value
            if other.any():
                row = int(np.flatnonzero(other)[0])
                raise JobError(
                    f"Column {name} of {part.name}: row {row + 1} holds {values.iloc[row]}, where its folder is called "
                    f"{name}={told}: move the file, or leave the column out of it."
                )


def read_rows(
    path: Path, written: FileFormat | None = None, name: str | None = None
) -> tuple[pd.DataFrame, dict[int, str]]:
    """Read a CSV or Parquet file, as it is or in gzip or zip, told apart by its content.

    All values of a CSV file stay texts, so that identities keep their leading zeros. Returns the rows, and why
    a row is broken by its place from 0. Raises JobError when the file is missing, empty or neither.
    """
    name = name or path.name
    try:
        content = unpacked(path.read_bytes(), name)
        if not content.strip():
            raise JobError(f"The data file {name} is empty: give a CSV or Parquet file with rows.")
        if content.startswith(PARQUET_MAGIC):
            return _read_parquet(content, name), {}
    except FileNotFoundError as error:
        raise JobError(f"The data file {path} does not exist.") from error
    except OSError as error:  # pyarrow's ArrowInvalid is not an OSError but a ValueError, see below
        raise JobError(f"The data file {name} cannot be read: {_line(error)}.") from error
    except ValueError as error:  # pyarrow's ArrowInvalid
        raise JobError(
            f"The data file {name} is not a valid CSV or Parquet file ({_line(error)}): write it again."
        ) from error
    return read_csv(content, name, written or FileFormat())


def _read_parquet(content: bytes, name: str) -> pd.DataFrame:
    import pyarrow.parquet

    refuse_doubled(pyarrow.parquet.read_schema(io.BytesIO(content)).names, name)
    return _named(pd.read_parquet(io.BytesIO(content)))


def _named(table: pd.DataFrame) -> pd.DataFrame:
    """A table whose index is a column too, where it has a name: so pandas wrote it."""
    names = [name for name in table.index.names if name is not None]
    table = table.reset_index(level=names) if names else table
    table = table.set_axis([str(name) for name in table.columns], axis="columns")
    exact = [place for place in range(table.shape[1]) if _holds_decimals(table.iloc[:, place])]
    for place in exact:  # a database's decimals: as near as a float comes to them
        table.isetitem(place, table.iloc[:, place].to_numpy(dtype=float))
    return table


def _holds_decimals(values: pd.Series) -> bool:
    if values.dtype != object:
        return False
    first = values.first_valid_index()
    return first is not None and isinstance(values.loc[first], Decimal)


def _line(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")


def typed(table: pd.DataFrame, columns: dict[str, Column], file_name: str) -> pd.DataFrame:
    """Check names and types of all columns; return them converted, in the settings' order.

    The index of the result numbers the rows from 0. Raises JobError for missing, unexpected or doubled
    columns, a table without rows, and values of a wrong type, naming column, row (from 1) and value.
    """
    if table.empty:
        raise JobError(f"The data file {file_name} has columns but no rows.")
    converted, unreadable = converted_columns(table, columns, file_name)
    for name, bad in unreadable.items():
        raise JobError(_type_fault(name, columns[name], table[name], bad, file_name))
    return converted


def converted_columns(
    table: pd.DataFrame, columns: dict[str, Column], file_name: str
) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """The same, but for values of a wrong type: column -> a boolean array that marks its rows."""
    check_names([str(name) for name in table.columns], columns, file_name)
    pairs = {name: convert(table[name], column) for name, column in columns.items()}
    unreadable = {name: bad for name, (_, bad) in pairs.items() if bad.any()}
    converted = pd.DataFrame({name: values for name, (values, _) in pairs.items()})
    converted.index = pd.RangeIndex(len(table))
    return converted, unreadable


def check_names(found: list[str], columns: dict[str, Column], file_name: str) -> None:
    """Raise JobError where the columns of a file are not those of the settings."""
    faults = name_faults(found, columns)
    if faults:
        wrong = len(set(found) ^ set(columns))
        many = "columns do" if wrong > 1 else "column does"
        raise JobError(
            f"The {many} not fit the settings: {file_name} {' and '.join(faults)}; "
            "change the file, or data.columns in the YAML."
        )


def name_faults(found: list[str], columns: dict[str, Column]) -> list[str]:
    """What is wrong with the names of a file's columns, as ends of a sentence that begins with its name."""
    missing = [name for name in columns if name not in found]
    unexpected = [name for name in found if name not in columns]
    doubled = sorted({name for name in found if found.count(name) > 1})
    faults = []
    if missing:
        faults.append(f"lacks {listed(missing)}")
    if unexpected:
        hints = [f"{name}{did_you_mean(name, missing).replace('; ', ' (').replace('?', '?)')}" for name in unexpected]
        faults.append(f"has the unexpected {listed(hints)}")
    if doubled:
        faults.append(f"has {listed(doubled)} more than once")
    return faults


def _type_fault(name: str, column: Column, values: pd.Series, bad: np.ndarray, file_name: str) -> str:
    row = int(np.flatnonzero(bad)[0])
    count = int(bad.sum())
    more = f" ({count:,} such values)" if count > 1 else ""
    return (
        f"Column {name} of {file_name}: row {row + 1} holds {values.iloc[row]!r}, "
        f"which is not {described(column)}{more}; change the file, or the column's type in the YAML."
    )
