"""run --rehearse: the whole pipeline on a few rows, before the execution that costs more; nothing is registered."""

import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from command_line.context import AWS_POLL_SECONDS, LOCAL_POLL_SECONDS, Context
from command_line.execution_view import more_of_failure
from command_line.follow import follow
from pipelines.definition.compilation import Compiled
from pipelines.errors import PipelineError
from pipelines.exit_codes import EXIT_OK
from pipelines.publishing.dataset import upload_data
from pipelines.watching import executions
from pipelines.watching.executions import ExecutionSummary, StepSummary

REJECTED = "RejectModel"
# No model has an R2 as high: what learned from a few rows is never registered.
NEVER = {"MinR2": "1"}


def rehearse(context: Context, compiled: Compiled, given: Mapping[str, str], data: Path, share: float) -> int:
    """Run the pipeline on a share of the rows of `data`; the exit code, 0 where each step did its work.

    Raises PipelineError where a step failed.
    """
    from profiling.errors import DataError
    from profiling.rehearsal_rows import draw

    console = context.console
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "rehearsal"
        try:
            rows, of = draw(data, place, share, context.settings.data.format)
        except DataError as error:
            raise PipelineError(str(error)) from None
        uri = upload_data(context.bucket_client(), place, context.settings, context.environment, console.line)
    console.line(f"Rehearsal  {rows:,} of {of:,} rows, {uri}")
    arn = executions.start(context.sagemaker, compiled.name, {**given, "InputDataUri": uri, **NEVER})
    console.line(f"Execution  {arn}")
    poll = LOCAL_POLL_SECONDS if context.local else AWS_POLL_SECONDS
    execution = follow(context.sagemaker, arn, console, poll, compiled.step_names, context.notice)
    if execution.interrupted or execution.status == "Stopped":
        return execution.exit_code
    _refuse_failed(execution, lambda step: more_of_failure(step, context.log_folder, context.last_words))
    console.line("Rehearsal  every step before the registration did its work; the model of these few rows is rejected")
    return EXIT_OK


def _refuse_failed(execution: ExecutionSummary, more: Callable[[StepSummary], Iterable[str]] = lambda _: ()) -> None:
    failed = [step for step in execution.steps if step.status == "Failed" and step.name != REJECTED]
    if failed:
        reason = f"so nothing else was started: {failed[0].failure_reason}"
        raise PipelineError("\n".join([f"The rehearsal failed in {failed[0].name}, {reason}", *more(failed[0])]))
    if not any(step.name == REJECTED for step in execution.steps):
        raise PipelineError(f"The rehearsal ended early, so nothing else was started: {execution.failure_reason}")
