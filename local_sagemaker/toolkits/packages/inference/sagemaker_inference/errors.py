"""The exceptions that handlers raise: their status is the answer's."""

from local_sagemaker.toolkits.answers import UnsupportedFormat as UnsupportedFormatError


class BaseInferenceToolkitError(Exception):
    """An error with a status, a message and a phrase."""

    def __init__(self, status_code: int, message: str, phrase: str) -> None:
        super().__init__(status_code, message, phrase)
        self.status_code = status_code
        self.message = message
        self.phrase = phrase


class GenericInferenceToolkitError(BaseInferenceToolkitError):
    """Any other error."""

    def __init__(self, status_code: int, message: str | None = None, phrase: str | None = None) -> None:
        super().__init__(status_code, message or "Invalid Request", phrase or message or "Invalid Request")


__all__ = ["BaseInferenceToolkitError", "GenericInferenceToolkitError", "UnsupportedFormatError"]
