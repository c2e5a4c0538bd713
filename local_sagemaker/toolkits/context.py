"""The context that sagemaker-inference passes to a handler with one parameter more: the request, and the answer."""

from collections.abc import Mapping
from typing import Any


class Context:
    """What handlers use of the model servers' context; `request` is replaced before each invocation.

    The methods are those of multi-model-server's and TorchServe's Context and RequestProcessor.
    """

    def __init__(self, model_folder: str) -> None:
        self.system_properties: dict[str, Any] = {"model_dir": model_folder, "gpu_id": None, "batch_size": 1}
        self.manifest: dict[str, Any] = {}
        self.model_name = "model"
        self.request: Mapping[str, str] = {}
        self.content_type: str | None = None
        self.status: tuple[int, str] | None = None
        self.headers: dict[str, str] = {}

    def begin(self, request: Mapping[str, str]) -> None:
        """Another invocation, with these headers."""
        self.request = request
        self.content_type, self.status, self.headers = None, None, {}

    @property
    def request_processor(self) -> list["Context"]:
        """This object stands for the processor of the only request of a batch."""
        return [self]

    def get_request_properties(self) -> dict[str, str]:
        """The headers of the request."""
        return dict(self.request)

    def get_all_request_header(self, idx: int) -> dict[str, str]:
        """The same."""
        return dict(self.request)

    def get_request_header(self, idx: int, key: str) -> str | None:
        """One header of the request, whatever its case."""
        return next((value for name, value in self.request.items() if name.lower() == key.lower()), None)

    def get_request_property(self, key: str) -> str | None:
        """The same."""
        return self.get_request_header(0, key)

    def set_response_content_type(self, idx: int, value: str) -> None:
        """Say what the answer is."""
        self.content_type = value

    def set_response_header(self, idx: int, key: str, value: str) -> None:
        """A header of the answer."""
        self.headers[key] = value

    def set_response_status(self, code: int = 200, phrase: str = "", idx: int = 0) -> None:
        """The status of the answer."""
        self.status = (code, phrase)
