"""ClientRequestToken: the same token gets the same answer, and the operation happens once."""

from collections.abc import Callable

from local_sagemaker.state.record_kinds import REQUEST_TOKEN
from local_sagemaker.state.records import Records
from local_sagemaker.wire.dispatch import Request


class RequestTokens:
    """The answers that were given, by resource, operation and token; they survive a restart of the server."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def once(self, resource: str, operation: str, request: Request, act: Callable[[], Request]) -> Request:
        """The earlier answer to this token for this resource (an ARN), or that of `act`, which is then kept.

        Both are one transaction with what `act` writes: after a crash the operation has happened with its token,
        or not at all.
        """
        token = request.get("ClientRequestToken")
        with self._records.lock:
            name = f"{resource}/{operation}/{token}"
            earlier = self._records.get(REQUEST_TOKEN, name) if token else None
            if earlier is not None:
                return earlier
            answer = act()
            if token:
                self._records.put(REQUEST_TOKEN, name, answer)
            return answer

    def forget(self, resource: str) -> None:
        """Every token of a resource that was deleted."""
        self._records.delete_all(REQUEST_TOKEN, prefix=f"{resource}/")
