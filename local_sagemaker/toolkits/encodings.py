"""CSV, JSON, NPY and NPZ to numpy arrays and back, as the default handlers of the images have them."""

import csv
import io
import json
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from local_sagemaker.toolkits.answers import UnsupportedFormat

JSON, CSV, NPY, NPZ = "application/json", "text/csv", "application/x-npy", "application/x-npz"
TEXT_TYPES = (JSON, CSV)
Data = bytes | str


def decoded(data: Data, content_type: str) -> Any:
    """The array of a body, as sagemaker-inference reads it; UnsupportedFormat for another type."""
    decoders: dict[str, Callable[[Any], Any]] = {CSV: _csv_as_numbers, JSON: _json, NPY: _npy, NPZ: _npz}
    return _by_type(decoders, content_type)(data)


def decoded_by_containers(data: Data, content_type: str) -> Any:
    """The array of a body, as sagemaker-containers reads it; UnsupportedFormat for another type.

    A CSV of one row, or of one column, is an array of one dimension.
    """
    return _by_type({CSV: _csv_as_text, JSON: _json, NPY: _npy}, content_type)(data)


def encoded(array: Any, content_type: str) -> Data:
    """An array as a body, as sagemaker-inference writes it; UnsupportedFormat for another type."""
    body: Data = _by_type({CSV: _lines, JSON: _as_json, NPY: _as_npy}, content_type)(array)
    return body


def encoded_by_containers(array: Any, content_type: str) -> Data:
    """An array as a body, as sagemaker-containers writes it: a vector is a column of CSV."""
    body: Data = _by_type({CSV: _rows, JSON: _as_json, NPY: _as_npy}, content_type)(array)
    return body


def encoded_as_accepted(array: Any, accept: str) -> tuple[Data, str]:
    """The body, and its type: the first of the accepted ones that can be written."""
    for content_type in accept.replace(" ", "").split(","):
        if content_type in (CSV, JSON, NPY):
            return encoded(array, content_type), content_type
    raise UnsupportedFormat(accept)


def _by_type(coders: dict[str, Callable[[Any], Any]], content_type: str) -> Callable[[Any], Any]:
    if content_type not in coders:
        raise UnsupportedFormat(content_type)
    return coders[content_type]


def _csv_as_numbers(text: str) -> Any:
    return np.genfromtxt(io.StringIO(text), delimiter=",")


def _csv_as_text(text: str) -> Any:
    rows = list(csv.reader(io.StringIO(text), strict=True))
    return np.array(rows).squeeze().astype(None)


def _json(text: str) -> Any:
    return np.array(json.loads(text))


def _npy(data: bytes) -> Any:
    return np.load(io.BytesIO(data), allow_pickle=False)


def _npz(data: bytes) -> Any:
    import scipy.sparse

    return scipy.sparse.load_npz(io.BytesIO(data))


def _lines(array: Any) -> str:
    stream = io.StringIO()
    np.savetxt(stream, array, delimiter=",", fmt="%s")
    return stream.getvalue()


def _rows(array: Any) -> str:
    table = np.array(array)
    rows: Iterable[Any] = table.reshape(-1, 1) if table.ndim == 1 else table
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n", strict=True).writerows(rows)
    return stream.getvalue()


def _as_json(array: Any) -> str:
    def listed(value: Any) -> Any:
        if hasattr(value, "tolist"):
            return value.tolist()
        return json.JSONEncoder().default(value)

    return json.dumps(array, default=listed)


def _as_npy(array: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()
