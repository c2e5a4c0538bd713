"""Callback steps: the tokens that wait for an answer.

https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-steps-types.html (callback step)
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from local_sagemaker.errors import ServiceError, not_found
from local_sagemaker.state.record_kinds import CALLBACK
from local_sagemaker.state.record_types import CallbackRecord
from local_sagemaker.state.records import Records
from local_sagemaker.wire.dispatch import Request


@dataclass
class Waiting:
    """A step that waits for its answer; without one, `outputs` and `failure` stay None."""

    step: Mapping[str, Any]
    answered: threading.Event = field(default_factory=threading.Event)
    outputs: dict[str, Any] | None = None
    failure: str | None = None


class Callbacks:
    """The tokens that there are; each is answered once."""

    def __init__(self, records: Records) -> None:
        self.closing = False  # the server is going down: nobody will get an answer any more
        self._records = records
        self._waiting: dict[str, Waiting] = {}

    def open(self, token: str, step: Mapping[str, Any], execution_arn: str) -> Waiting:
        """Let a step wait for an answer to its token."""
        self._records.put(CALLBACK, token, CallbackRecord(PipelineExecutionArn=execution_arn))
        waiting = self._waiting[token] = Waiting(step)
        return waiting

    def give_up(self, token: str) -> None:
        """The step waits no more."""
        waiting = self._waiting.pop(token, None)
        if waiting is not None:
            waiting.answered.set()

    def answer(self, request: Request, give: Callable[[Waiting], None]) -> Request:
        """End the step of request's CallbackToken as `give` says; the response to whoever has answered."""
        token, own = request["CallbackToken"], request.get("ClientRequestToken")
        with self._records.lock:
            record = self._records.get(CALLBACK, token)
            if record is None:
                raise not_found(f"Callback token {token} does not exist.")
            answer = {"PipelineExecutionArn": record["PipelineExecutionArn"]}
            if own is not None and record.get("ClientRequestToken") == own:
                return answer
            waiting = self._waiting.get(token)
            if waiting is None or record.get("Answered"):
                raise ServiceError("ConflictException", f"The step of the callback token {token} has already ended.")
            give(waiting)
            self._records.update(CALLBACK, token, CallbackRecord(Answered=True, ClientRequestToken=own))
        self.give_up(token)  # only now: where the answer could not be written, the step still waits for one
        return answer
