"""One execution whose steps end as a test says: no server and no processes, but real records and threads."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local_sagemaker.definition.definition import Definition, Step
from local_sagemaker.definition.parameters import Parameter
from local_sagemaker.engine.cache import StepCache
from local_sagemaker.engine.capacity import Capacity
from local_sagemaker.engine.execution import Execution
from local_sagemaker.engine.step_run import StepRuns
from local_sagemaker.engine.tasks import Result, Task
from local_sagemaker.state.database import Database
from local_sagemaker.state.record_kinds import EXECUTION, EXECUTION_STEP
from local_sagemaker.state.record_types import ExecutionRecord
from local_sagemaker.state.records import Records
from local_sagemaker.wire.dispatch import Caller

CALLER = Caller("000000000000", "us-east-1")
OK, BAD, HALTED = Result("Succeeded"), Result("Failed", failure_reason="no"), Result("Stopped")


def step(
    name: str, kind: str = "Processing", *after: str, arguments: Any = None, body: tuple[Step, ...] = (), **raw: Any
) -> Step:
    """A step that waits for others, with more fields of the definition."""
    return Step(name, kind, arguments or {}, frozenset(after), None, {"Name": name, **raw}, body=body)


class World:
    """The state of a server with one execution, and steps that end as `ends` says by their name: Succeeded else.

    An end is a result, an exception, a function of the task, or a list of these for one attempt after another.
    """

    def __init__(self, folder: Path, cores: int = 4, **ends: Any) -> None:
        self.records = Records(Database(folder / "state.db"))
        self.capacity = Capacity(cores)
        self.cache = StepCache(self.records)
        self.tasks: list[Task] = []
        self.stopped: list[tuple[str, str]] = []
        self._ends = ends

    def run(self, task: Task, caller: Caller) -> Result:
        """What Executors.run does."""
        self.tasks.append(task)
        end = self._ends.get(task.step.name, OK)
        end = end.pop(0) if isinstance(end, list) else end
        end = end(task) if callable(end) else end
        if isinstance(end, Exception):
            raise end
        assert isinstance(end, Result)
        return end

    def stop(self, kind: str, job: str) -> None:
        """What Jobs.stop does."""
        self.stopped.append((kind, job))

    def document(self, number: int = 1, **fields: Any) -> ExecutionRecord:
        """The record of an execution, as it has been written."""
        arn = f"arn:p/execution/{number}"
        document: ExecutionRecord = {
            "PipelineName": "P", "PipelineArn": "arn:p", "PipelineExecutionArn": arn, "ExecutionId": f"e{number}",
            "PipelineExecutionStatus": "Executing", "ParameterValues": {"Word": "hello"}, "CreationTime": 1.0, **fields,
        }  # type: ignore[typeddict-item]  # fmt: skip
        self.records.put(EXECUTION, arn, document)
        return document

    def runs(self, number: int = 1) -> StepRuns:
        """The step runs of an execution."""
        parties: Any = (self.records, self, self.cache, self, self.capacity)
        return StepRuns(self.document(number), CALLER, *parties)

    def record(self, name: str, number: int = 1) -> Any:
        """The record of a step, or None."""
        return self.records.get(EXECUTION_STEP, f"arn:p/execution/{number}/{name}")

    def execution(self, *steps: Step, kept: Mapping[str, Result] | None = None, **fields: Any) -> Execution:
        """An execution of these steps that has not begun."""
        definition = Definition({"Word": Parameter("Word", "String")}, {each.name: each for each in steps})
        parties: Any = {"executors": self, "jobs": self, "objects": None}
        return Execution(
            self.document(**fields), definition, CALLER, kept or {},
            records=self.records, cache=self.cache, capacity=self.capacity, **parties,
        )  # fmt: skip

    def ended(self, *steps: Step, kept: Mapping[str, Result] | None = None, **fields: Any) -> tuple[str, str | None]:
        """Status and reason of an execution of these steps, run to its end."""
        execution = self.execution(*steps, kept=kept, **fields)
        execution.start()
        return self.end_of(execution)

    def end_of(self, execution: Execution) -> tuple[str, str | None]:
        """Status and reason of an execution once it is over."""
        execution.join(10)
        assert execution.is_over
        record = self.records.get(EXECUTION, execution.arn)
        assert record is not None
        return record["PipelineExecutionStatus"], record.get("FailureReason")

    def ran(self) -> list[str]:
        """The names of the steps that were run, in their order."""
        return [task.step.name for task in self.tasks]
