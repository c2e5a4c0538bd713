"""moto's objects of the kinds that a document of S3 names."""

from typing import Any

from moto.s3 import models
from moto.utilities.utils import LowercaseDict
from requests.structures import CaseInsensitiveDict  # that of moto's headers

from local_sagemaker.state.s3_documents import HEADERS, KINDS


def make(kind: str, fields: dict[str, Any]) -> Any:
    """The object of a kind that has these fields; KeyError for an unknown kind."""
    if kind == HEADERS:
        return CaseInsensitiveDict(fields)
    name, _ = KINDS[kind]
    made = object.__new__(LowercaseDict if name == LowercaseDict.__name__ else getattr(models, name))
    made.__dict__.update(fields)
    return made
