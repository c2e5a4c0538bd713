"""Arrays to bodies and back, as the image's default handlers have them."""

from typing import Any

from local_sagemaker.toolkits.encodings import decoded_by_containers, encoded_by_containers

from .content_types import CSV, JSON, NPY


def encode(array_like: Any, content_type: str) -> bytes | str:
    """An array as a body; UnsupportedFormatError for another type than CSV, JSON and NPY."""
    return encoded_by_containers(array_like, content_type)


def decode(obj: bytes | str, content_type: str) -> Any:
    """The array of a body; UnsupportedFormatError for another type than CSV, JSON and NPY."""
    return decoded_by_containers(obj, content_type)


def array_to_csv(array_like: Any) -> bytes | str:
    """Rows of CSV; a vector is a column."""
    return encode(array_like, CSV)


def array_to_json(array_like: Any) -> bytes | str:
    """A JSON list."""
    return encode(array_like, JSON)


def array_to_npy(array_like: Any) -> bytes | str:
    """A file of numpy."""
    return encode(array_like, NPY)


def csv_to_numpy(string_like: str, dtype: Any = None) -> Any:
    """The array of rows of CSV; one row, or one column, is a vector."""
    return decode(string_like, CSV).astype(dtype)


def json_to_numpy(string_like: str, dtype: Any = None) -> Any:
    """The array of a JSON list."""
    return decode(string_like, JSON) if dtype is None else decode(string_like, JSON).astype(dtype)


def npy_to_numpy(npy_array: bytes) -> Any:
    """The array of a file of numpy."""
    return decode(npy_array, NPY)
