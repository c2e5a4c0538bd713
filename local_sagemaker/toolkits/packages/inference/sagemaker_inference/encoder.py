"""Arrays to bodies."""

from typing import Any

from local_sagemaker.toolkits.encodings import encoded


def encode(array_like: Any, content_type: str) -> bytes | str:
    """An array as a body; UnsupportedFormatError for another type than CSV, JSON and NPY."""
    return encoded(array_like, content_type)
