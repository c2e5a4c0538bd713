"""libsvm, of requests and of files, as the versions of the image read it.

The sources are encoder.py, serve_utils.py and data_utils.py of aws/sagemaker-xgboost-container. XGBoost itself reads
the files of a channel and counts columns from 0. Since 3.2-0 a request whose smallest index is 1 or more is taken to
count from 1; older images take every index as it is.
"""

import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xgboost

from local_sagemaker.toolkits.xgboost.errors import UserError

IMAGE = "LOCAL_SAGEMAKER_IMAGE"  # the URI of the image that a process stands for
VERSION = re.compile(r"sagemaker-xgboost:(\d+)\.(\d+)")
SHIFTS_SINCE = (3, 2)


def shifts(variables: Mapping[str, str]) -> bool:
    """Whether the image that this process stands for takes indices from 1 as columns from 0; the newest does."""
    found = VERSION.search(variables.get(IMAGE, ""))
    return found is None or (int(found[1]), int(found[2])) >= SHIFTS_SINCE


def matrix_for_algorithm(text: str, variables: Mapping[str, str]) -> Any:
    """The DMatrix of a request to the image's own algorithm; what has no value is missing."""
    from scipy.sparse import csr_matrix

    rows, columns, values = _pairs(text.split("\n"), " ")
    first = 1 if columns and min(columns) >= 1 and shifts(variables) else 0
    return xgboost.DMatrix(csr_matrix((values, (rows, [column - first for column in columns]))))


def matrix_for_script(text: str, variables: Mapping[str, str]) -> Any:
    """The DMatrix of a request to a script's model.

    Since 3.2-0 what has no value is 0. Before, XGBoost reads the request like a file, whose rows begin with a label.
    """
    if not shifts(variables):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "body"
            path.write_text(text, encoding="utf-8")
            return xgboost.DMatrix(f"{path}?format=libsvm")
    lines = text.strip().split("\n")
    rows, columns, values = _pairs(lines, None)
    if not rows:
        return xgboost.DMatrix(np.empty((0, 0)))
    first = 1 if min(columns) >= 1 else 0
    data = np.zeros((len(lines), max(columns) - first + 1))
    data[rows, np.array(columns) - first] = values
    return xgboost.DMatrix(data)


def check_file(path: Path) -> None:
    """UserError where a line before the first with two features is not libsvm: no further line is looked at."""
    with path.open(encoding="utf-8", errors="ignore") as stream:
        for line in stream:
            features = _features(line)
            if features > 1:
                return
            if features < 0:
                raise UserError(
                    f"First line '{line[:50]}...' of file '{path.name}' is not 'LIBSVM' format. Please ensure the file "
                    "is in 'LIBSVM' format."
                )


def counts_from_one(paths: list[Path]) -> bool:
    """Whether no row of some files has an index 0."""
    for path in paths:
        with path.open(encoding="utf-8", errors="ignore") as stream:
            if any(" 0:" in line for line in stream):
                return False
    return True


def warning_of_files(paths: list[Path], variables: Mapping[str, str] = os.environ) -> str | None:
    """What the image does not say of files that count from 1."""
    if not shifts(variables) or not counts_from_one(paths):
        return None
    return (
        "warning: the indices of the libsvm files begin at 1. The image trains with them as they are, with an empty "
        "column 0, and serves text/libsvm that begins at 1 as columns from 0: such requests are answered from other "
        "columns. Count from 0 in both, or train with CSV."
    )


def _pairs(lines: list[str], separator: str | None) -> tuple[list[int], list[int], list[float]]:
    """Row, column and value of each index:value."""
    rows, columns, values = [], [], []
    for number, line in enumerate(lines):
        for token in line.split(separator):
            index, colon, value = token.partition(":")
            if colon:
                rows.append(number)
                columns.append(int(index))
                values.append(float(value))
    return rows, columns, values


def _features(line: str) -> int:
    """How many features a line of a file has; -1 where it is not libsvm to the image."""
    label, *features = line.split(" ")
    try:
        parts = [float(part) for part in label.split(":")]
    except ValueError:
        return -1
    if len(parts) > 2 or any(":" not in each for each in features) or (features and features[0].count(":") != 1):
        return -1
    return len(features)
