"""The two operations that end a Callback step."""

from local_sagemaker.definition.output_parameters import declared_type, typed_output
from local_sagemaker.errors import invalid
from local_sagemaker.wire.dispatch import Caller, Request
from local_sagemaker.work.callbacks import Callbacks, Waiting


class CallbackOperations:
    """SendPipelineExecutionStepSuccess and SendPipelineExecutionStepFailure."""

    def __init__(self, callbacks: Callbacks) -> None:
        self._callbacks = callbacks

    def send_pipeline_execution_step_success(self, request: Request, caller: Caller) -> Request:
        """End a Callback step with its output parameters, each of the type that the step declares."""

        def succeed(waiting: Waiting) -> None:
            outputs = {}
            for entry in request.get("OutputParameters", []):
                kind = declared_type(waiting.step, entry["Name"])
                if kind is None:
                    raise invalid(f"The callback step {waiting.step['Name']} has no output parameter {entry['Name']}.")
                try:
                    outputs[entry["Name"]] = typed_output(entry["Name"], entry["Value"], kind)
                except ValueError as error:
                    raise invalid(f"{error}.") from None
            waiting.outputs = outputs

        return self._callbacks.answer(request, succeed)

    def send_pipeline_execution_step_failure(self, request: Request, caller: Caller) -> Request:
        """End a Callback step as failed."""

        def fail(waiting: Waiting) -> None:
            waiting.failure = request.get("FailureReason", "The callback step failed, and no reason was given.")

        return self._callbacks.answer(request, fail)
