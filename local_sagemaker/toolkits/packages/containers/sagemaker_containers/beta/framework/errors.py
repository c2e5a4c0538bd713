"""The exceptions that scripts raise and catch."""

from local_sagemaker.toolkits.answers import UnsupportedFormat as UnsupportedFormatError


class ClientError(Exception):
    """The fault is the user's."""


__all__ = ["ClientError", "UnsupportedFormatError"]
