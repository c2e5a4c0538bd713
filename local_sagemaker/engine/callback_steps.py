"""Callback steps: a message with a token to a queue, and the answer that somebody gives to that token."""

import json
import secrets
import string
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from local_sagemaker.definition.expressions import evaluate
from local_sagemaker.definition.output_parameters import described
from local_sagemaker.engine.tasks import Result, Task
from local_sagemaker.wire.dispatch import Caller
from local_sagemaker.work.callbacks import Callbacks

TOKEN_LENGTH = 10
Send = Callable[[str, str, str], None]  # region, name of the queue, body


class CallbackSteps:
    """Runs a Callback step: `send` puts a message into a queue of SQS."""

    def __init__(self, callbacks: Callbacks, send: Send) -> None:
        self._callbacks = callbacks
        self._send = send

    def run(self, task: Task, caller: Caller) -> Result:
        """Send the message and wait for the answer, however long it takes.

        An execution that is stopped waits for the answer too: the service sends a second message, with the status
        Stopping, and stops when somebody has answered (StopPipelineExecution).
        """
        token = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(TOKEN_LENGTH))
        url = str(evaluate(task.step.raw["SqsQueueUrl"], task.scope))
        message = {"token": token, "pipelineExecutionArn": task.execution_arn, "arguments": task.arguments}

        def tell(status: str) -> None:
            region, queue = queue_of(url, caller.region)
            self._send(region, queue, json.dumps({**message, "status": status}))

        def stop() -> None:
            if self._callbacks.closing:
                self._callbacks.give_up(token)
            else:
                tell("Stopping")

        metadata: dict[str, Any] = {"Callback": {"CallbackToken": token, "SqsQueueUrl": url}}
        waiting = self._callbacks.open(token, task.step.raw, task.execution_arn)
        try:
            task.started("", "", metadata, stop)
            tell("Executing")
            waiting.answered.wait()
        finally:
            self._callbacks.give_up(token)
        if waiting.outputs is None:
            stopped = waiting.failure is None or task.stopping.is_set()
            return Result("Stopped" if stopped else "Failed", metadata, failure_reason=waiting.failure)
        metadata["Callback"]["OutputParameters"] = described(waiting.outputs)
        return Result("Succeeded", metadata, {"OutputParameters": waiting.outputs})


def queue_of(url: str, region: str) -> tuple[str, str]:
    """Region and name of the queue of a URL, https://sqs.REGION.amazonaws.com/ACCOUNT/NAME or one of this server."""
    parts = urlsplit(url)
    host = (parts.hostname or "").split(".")
    return (host[1] if host[0] == "sqs" and len(host) > 2 else region), parts.path.rpartition("/")[2]
