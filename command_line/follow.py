"""Follow an execution to its end; Ctrl-C stops it."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from command_line.console import Console
from command_line.execution_view import watched
from pipelines.clients import SageMakerClient
from pipelines.watching.executions import ExecutionSummary, describe, stop

NOTICE_SECONDS = 2.0


def follow(
    sagemaker: SageMakerClient,
    execution_arn: str,
    console: Console,
    poll_seconds: float,
    expected_steps: Sequence[str] = (),
    notice: Callable[[], str | None] = lambda: None,
) -> ExecutionSummary:
    """Show each step as it runs, until the execution is over.

    Ctrl-C stops the execution and waits until it is Stopped; a second Ctrl-C leaves at once, as
    KeyboardInterrupt. `expected_steps` are shown as waiting until they start; what `notice` says is shown once.
    """
    interrupted, said, asked = False, None, time.monotonic()
    with watched(console, expected_steps) as view:
        while True:
            try:
                execution = describe(sagemaker, execution_arn)
                view.update(execution)
                if execution.is_over:
                    break
                if time.monotonic() - asked > NOTICE_SECONDS:
                    asked, found = time.monotonic(), notice()
                    if found is not None and found != said:
                        view.say(found)
                    said = found
                time.sleep(poll_seconds)
            except KeyboardInterrupt:
                if interrupted:
                    view.say(f"Left while the execution was stopping: {execution_arn}")
                    raise
                interrupted = True
                view.say("Ctrl-C: stopping the execution. Press it again to leave immediately.")
                stop(sagemaker, execution_arn)
    if interrupted:
        console.line(f"The execution is {execution.status}.")
    return replace(execution, interrupted=interrupted)
