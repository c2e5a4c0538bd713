"""Bodies to arrays."""

from typing import Any

from local_sagemaker.toolkits.encodings import decoded


def decode(obj: bytes | str, content_type: str) -> Any:
    """The array of a body; UnsupportedFormatError for another type than CSV, JSON, NPY and NPZ."""
    return decoded(obj, content_type)
