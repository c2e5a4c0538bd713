"""Steps that a user's handler runs: Lambda functions, and step types that this machine has nothing of its own for."""

import re
import secrets
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from local_sagemaker.definition.expressions import evaluate
from local_sagemaker.definition.output_parameters import described, output_values
from local_sagemaker.engine.tasks import Result, Task
from local_sagemaker.functions.operations import Functions
from local_sagemaker.handlers.handlers import HandlerFailed, Handlers
from local_sagemaker.wire.dispatch import Caller

MayInvoke = Callable[[str, Caller], None]
NOT_PLAIN = re.compile(r"[^A-Za-z0-9_-]")  # what the name of a step must not bring into the name of a file


class HandledSteps:
    """Runs a step by calling its handler with the resolved arguments; each call has a log in `logs`.

    `environment` is what the processes of handlers know of AWS: this server. `may_invoke` raises ServiceError where
    the pipeline's role may not call a function, by its ARN. `functions` are those that were created here; a handler
    goes before them.
    """

    def __init__(
        self,
        handlers: Handlers,
        logs: Path,
        environment: Mapping[str, str],
        functions: Functions,
        may_invoke: MayInvoke = lambda *_: None,
    ) -> None:
        self._functions = functions
        self._may_invoke = may_invoke
        self._handlers = handlers
        self._logs = logs
        self._environment = environment

    @property
    def keys(self) -> Collection[str]:
        """What the user's handlers stand for."""
        return self._handlers.commands.keys()

    def supports(self, step: Mapping[str, Any]) -> bool:
        """Whether a handler stands for a step of a definition, or the function that it calls is here."""
        return self._handlers.key_for(step) is not None or self._function_of(step) is not None

    def _function_of(self, step: Mapping[str, Any]) -> str | None:
        arn = step.get("FunctionArn") if step.get("Type") == "Lambda" else None
        return arn if isinstance(arn, str) and self._functions.has(arn) else None

    def run(self, task: Task, caller: Caller) -> Result:
        """Call the handler; what it returns are the step's output parameters, or its properties."""
        raw, stopped = task.step.raw, False
        if "FunctionArn" in raw:
            self._may_invoke(str(raw["FunctionArn"]), caller)
        key = self._handlers.key_for(raw)
        log = self._logs / f"{task.execution_id}-{NOT_PLAIN.sub('-', task.step.name)[:100]}.log"
        if key is not None:
            running = self._handlers.call(key, log, self._environment)
        else:
            running = self._functions.call(str(raw["FunctionArn"]), log)
        metadata = {"Lambda": {"Arn": str(raw["FunctionArn"])}} if "FunctionArn" in raw else {}

        def stop() -> None:
            nonlocal stopped
            stopped = True
            running.stop()

        task.started("", "", metadata, stop)
        try:
            returned = running.result(task.arguments, _context(task))
            values = output_values(raw, returned)
        except (HandlerFailed, ValueError) as error:
            if stopped:
                return Result("Stopped", metadata)
            return Result("Failed", metadata, failure_reason=f"ClientError: {error}")
        if metadata:
            metadata["Lambda"]["OutputParameters"] = described(values)  # type: ignore[assignment]
        return Result("Succeeded", metadata, {**returned, "OutputParameters": values})


def _context(task: Task) -> dict[str, Any]:
    """The fields of the `context` of a handler: the function's, as Lambda names them, and those of the step."""
    function = str(task.step.raw.get("FunctionArn", ""))
    fields = {name: value for name, value in task.step.raw.items() if name not in ("Arguments", "Branch", "DependsOn")}
    return {
        "function_name": function.split(":")[6] if function.count(":") > 5 else "",
        "invoked_function_arn": function,
        "aws_request_id": secrets.token_hex(16),
        "step": evaluate(fields, task.scope),
        "pipeline_execution_arn": task.execution_arn,
    }
