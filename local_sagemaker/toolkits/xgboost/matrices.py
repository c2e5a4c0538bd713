"""Data to DMatrix: the bodies of requests, and the files of a channel (encoder.py and data_utils.py of the image)."""

import csv
import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import xgboost

from local_sagemaker.toolkits.answers import UnsupportedFormat
from local_sagemaker.toolkits.xgboost.content_types import CSV, LIBSVM, PARQUET, format_of
from local_sagemaker.toolkits.xgboost.errors import UserError
from local_sagemaker.toolkits.xgboost.libsvm import check_file, matrix_for_script, warning_of_files

SNIFFED = 512  # characters of the first line, in which the delimiter of a body is looked for
DEEPEST = 3  # folders of a channel that are read


def matrix_of_body(data: bytes | str, content_type: str) -> Any:
    """The DMatrix of a request for a script's model; UnsupportedFormat for another type than CSV and libsvm."""
    text = data.decode() if isinstance(data, bytes) else data
    media_type = content_type.partition(";")[0].strip()
    if media_type == "text/csv":
        return csv_matrix(text)
    if media_type in ("text/libsvm", "text/x-libsvm"):
        return matrix_for_script(text, os.environ)
    raise UnsupportedFormat(media_type)


def csv_matrix(text: str) -> Any:
    """Rows of numbers without a label; an empty cell is missing. ValueError where something is not a number."""
    lines = text.split("\n")
    try:
        sniffed = csv.Sniffer().sniff(lines[0][:SNIFFED]).delimiter
    except csv.Error:
        sniffed = ","  # one column
    delimiter = "," if sniffed.isalnum() else sniffed
    rows = [[cell if cell != "" else "nan" for cell in line.split(delimiter)] for line in lines]
    return xgboost.DMatrix(np.array(rows).astype(float))


def matrix_of_files(folders: Iterable[str], kind: str, weights: bool = False) -> Any:
    """The DMatrix of all files of some channels; None where there is none. UserError where they cannot be read."""
    files = [path for folder in folders for path in _files(Path(folder))]
    if not files:
        return None
    try:
        matrix = _parquet(files) if kind == PARQUET else _text(files, kind, weights)
    except UserError:
        raise
    except Exception as error:
        raise UserError(f"Failed to load {kind} data with exception:\n{error}") from None
    if matrix.get_label().size == 0:
        raise UserError("Got input data without labels: see the input data set.")
    return matrix


def _files(folder: Path) -> list[Path]:
    """The data files of a channel; hidden ones are refused, as the image does."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name.startswith("."):
            raise UserError(f"Hidden file found in the data path! Remove {path} before training.")
        if path.is_file() and len(path.relative_to(folder).parts) <= DEEPEST and path.stat().st_size:
            found.append(path)
    return found


def _parquet(files: list[Path]) -> Any:
    import pyarrow
    import pyarrow.parquet

    table = pyarrow.concat_tables([pyarrow.parquet.read_table(path) for path in files]).to_pandas().to_numpy()
    return xgboost.DMatrix(table[:, 1:], label=table[:, 0])


def _text(files: list[Path], kind: str, weights: bool) -> Any:
    """CSV (the label first, then perhaps a weight) or libsvm, by XGBoost's own reader of folders."""
    if kind not in (CSV, LIBSVM):
        raise UserError(f"Local SageMaker does not read {kind}: give CSV, libsvm or Parquet.")
    options = f"format={kind}"
    if kind == CSV:
        options += f"&label_column=0&delimiter={_delimiter(files[0])}" + ("&weight_column=1" if weights else "")
    else:
        for path in files:
            check_file(path)
        if warning := warning_of_files(files):
            print(warning, flush=True)
    staging = tempfile.mkdtemp(prefix="xgboost-")
    try:
        for number, path in enumerate(files):
            os.symlink(path, f"{staging}/{number:06d}")
        return xgboost.DMatrix(f"{staging}?{options}")
    finally:
        shutil.rmtree(staging)


def _delimiter(path: Path) -> str:
    with path.open(encoding="utf-8", errors="ignore") as stream:
        line = stream.readline()
    try:
        return csv.Sniffer().sniff(line).delimiter
    except csv.Error as error:
        raise UserError(f"Could not determine delimiter on line {line[:50]}:\n{error}") from None


def channel_format(channel: dict[str, Any]) -> str:
    """The format of a channel of inputdataconfig.json."""
    return format_of(channel.get("ContentType"))
