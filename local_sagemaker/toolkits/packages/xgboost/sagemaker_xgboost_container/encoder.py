"""Bodies of requests to DMatrix."""

import os
from typing import Any

from local_sagemaker.toolkits.xgboost.libsvm import matrix_for_script
from local_sagemaker.toolkits.xgboost.matrices import csv_matrix, matrix_of_body


def csv_to_dmatrix(input: bytes | str, dtype: Any = None) -> Any:  # noqa: ARG001 - the names of the image
    """Rows of numbers without a label."""
    return csv_matrix(_text(input))


def libsvm_to_dmatrix(string_like: bytes | str) -> Any:
    """Rows of index:value pairs."""
    return matrix_for_script(_text(string_like), os.environ)


def decode(obj: bytes | str, content_type: str) -> Any:
    """By the content type; UnsupportedFormatError for another one than CSV and libsvm."""
    return matrix_of_body(obj, content_type)


def _text(data: bytes | str) -> str:
    return data.decode() if isinstance(data, bytes) else data
