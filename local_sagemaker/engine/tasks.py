"""What a step is when it runs, and how it ended: what passes between an execution and what runs its steps."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from local_sagemaker.definition.definition import Step
from local_sagemaker.definition.expressions import Scope

Arguments = dict[str, Any]


@dataclass(frozen=True)
class Result:
    """How a step ended: its status, the metadata that clients see, and the properties that other steps see.

    `exception` is the exception type of a failure by which retry policies know it (see retries).
    """

    status: str
    metadata: dict[str, Any] = field(default_factory=dict)
    properties: dict[str, Any] = field(default_factory=dict)
    failure_reason: str | None = None
    outcome: bool | None = None
    exception: str | None = None


@dataclass(frozen=True)
class Task:
    """One step to run now: its resolved arguments, and what announces the work that it started.

    `job_name` is that of the job, if the step is one, as Execution.TrainingJobName and the like already have it.
    `role_arn` is the pipeline's role, which a step without one takes. `started(kind, name, metadata)` announces a job;
    work that is not a job gives what stops it: `started("", "", metadata, stop)`. `stopping` is set when the execution
    is asked to stop.
    """

    step: Step
    arguments: Arguments
    scope: Scope
    execution_id: str
    role_arn: str | None
    started: "Started"
    execution_arn: str
    stopping: threading.Event
    job_name: str


class Started(Protocol):
    """Announces the work behind a step, the metadata of its record, and how it is stopped (a job by its name)."""

    def __call__(
        self, kind: str, job: str, metadata: dict[str, Any], stop: Callable[[], object] | None = None, /
    ) -> None:
        """Announce it."""
