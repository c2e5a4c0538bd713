"""One step of an execution from its start to its end: the record that clients see, cache, attempts, stopping."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Unpack

from local_sagemaker.definition.expressions import ExpressionError, Scope, evaluate
from local_sagemaker.engine.cache import StepCache
from local_sagemaker.engine.capacity import Capacity
from local_sagemaker.engine.executors import NAME_PREFIXES, Executors, prefixed_name, resource_name
from local_sagemaker.engine.retries import Retries
from local_sagemaker.engine.schedule import Node
from local_sagemaker.engine.scope import JobScope, item_text
from local_sagemaker.engine.tasks import Result, Task
from local_sagemaker.errors import LONGEST_REASON, ServiceError
from local_sagemaker.state.record_kinds import EXECUTION_STEP
from local_sagemaker.state.record_types import ExecutionRecord, StepRecord
from local_sagemaker.state.records import Records, without_none
from local_sagemaker.wire.dispatch import Caller
from local_sagemaker.work.jobs import Jobs

Document = dict[str, Any]


class StepRuns:
    """Runs the steps of one execution, each in the thread that asks for it."""

    def __init__(
        self,
        execution: ExecutionRecord,
        caller: Caller,
        records: Records,
        executors: Executors,
        cache: StepCache,
        jobs: Jobs,
        capacity: Capacity,
    ) -> None:
        self.stopping = threading.Event()
        self._execution = execution
        self._caller = caller
        self._records = records
        self._executors = executors
        self._cache = cache
        self._jobs = jobs
        self._capacity = capacity
        self._running: dict[str, Callable[[], object]] = {}

    def begin(self, node: Node) -> None:
        """The step has started."""
        raw = node.step.raw
        record: StepRecord = {
            "StepName": node.name,
            "StepDisplayName": raw.get("DisplayName"),
            "StepDescription": raw.get("Description"),
            "StepType": node.step.type,
            "PipelineExecutionArn": self._execution["PipelineExecutionArn"],
            "StartTime": time.time(),
            "StepStatus": "Starting",
            "AttemptCount": 1,
            "Metadata": {},
        }
        if node.iteration is not None:
            record["IterationContext"] = {
                "ParentStepName": node.iteration.parent,
                "Index": node.iteration.index,
                "Item": item_text(node.iteration.item),
            }
        self._records.put(EXECUTION_STEP, self._name(node), without_none(record))

    def update(self, node: Node, **changes: Unpack[StepRecord]) -> None:
        """Change the record of a step that has begun."""
        self._records.update(EXECUTION_STEP, self._name(node), changes)

    def run(self, node: Node, scope: Scope) -> Result:
        """Run a step to its end."""
        self.begin(node)
        try:
            name, arguments = self._named(node, scope)
            key = self._cache.key(self._execution["PipelineArn"], node.step, arguments, scope)
            reused = self._reuse(node, key)
            result = reused or self._attempts(node, name, arguments, scope)
        except ExpressionError as error:
            reused, key, result = None, None, Result("Failed", failure_reason=f"ClientError: {error}")
        self.end(node, result)
        if result.status == "Succeeded" and key is not None and reused is None:
            self._cache.remember(key, self._name(node))
        return result

    def end(self, node: Node, result: Result) -> None:
        """The step has ended."""
        reason = result.failure_reason[:LONGEST_REASON] if result.failure_reason else None
        if result.status == "Stopped" and self.stopping.is_set():
            reason = None  # that it was asked to stop is not a failure
        changes: StepRecord = {"StepStatus": result.status, "EndTime": time.time(), "FailureReason": reason}
        if result.metadata:
            changes["Metadata"] = result.metadata
        if result.status == "Succeeded":
            changes |= {"Properties": result.properties, "Outcome": result.outcome}
        self._records.insist(lambda: self.update(node, **changes))

    def stop(self) -> None:
        """Stop the jobs that run; `stopping` is set."""
        for name, stop in list(self._running.items()):
            with self._records.lock:
                record = self._records.get(EXECUTION_STEP, name)
                if record is not None and record["StepStatus"] in ("Starting", "Executing"):
                    self._records.update(EXECUTION_STEP, name, StepRecord(StepStatus="Stopping"))
            _ask(stop)

    def _reuse(self, node: Node, key: str | None) -> Result | None:
        hit = self._cache.find(node.step, key)
        if hit is None:
            return None
        self.update(node, CacheHitResult={"SourcePipelineExecutionArn": hit["PipelineExecutionArn"]})
        return Result("Succeeded", hit["Metadata"], hit["Properties"])

    def _named(self, node: Node, scope: Scope, attempt: int = 1) -> tuple[str, Document]:
        """A name for the job of an attempt, and the arguments, which may hold it."""
        field = NAME_PREFIXES.get(node.step.type, "")
        prefix = evaluate(node.step.arguments.get(field), scope)
        execution = self._execution["ExecutionId"]
        name = prefixed_name(prefix, execution, attempt) if prefix else resource_name(execution, node.name)
        if node.step.type == "Condition":
            return name, {}  # its conditions are evaluated one by one
        return name, evaluate(node.step.arguments, JobScope(scope, node.step.type, name))

    def _attempts(self, node: Node, name: str, arguments: Document, scope: Scope) -> Result:
        retries = Retries(evaluate(node.step.raw.get("RetryPolicies") or [], scope), node.step.type)
        attempt = 1
        while True:
            result = self._attempt(node, name, arguments, scope)
            if result.exception is None or self.stopping.is_set():
                return result
            seconds, why = retries.delay(result.exception)
            if seconds is None:
                return _not_retried(result, self._execution["PipelineExecutionArn"], node.name, why)
            if not self._pause(node, seconds):
                return Result("Stopped", result.metadata)
            attempt += 1
            name, arguments = self._named(node, scope, attempt)
            self.update(node, AttemptCount=attempt, StepStatus="Starting", Metadata={})

    def _pause(self, node: Node, seconds: float) -> bool:
        """Wait without a core before the next attempt; False where the execution was stopped meanwhile."""
        self._capacity.give_back(node.step.type)
        self.stopping.wait(seconds)
        with self._capacity.changed:
            self._capacity.changed.wait_for(lambda: self.stopping.is_set() or self._capacity.has_room(node.step.type))
            self._capacity.take(node.step.type)
        return not self.stopping.is_set()

    def _attempt(self, node: Node, job_name: str, arguments: Document, scope: Scope) -> Result:
        name = self._name(node)

        def started(kind: str, job: str, metadata: Document, stop: Callable[[], object] | None = None) -> None:
            self._running[name] = stop or (lambda: self._jobs.stop(kind, job))
            self.update(node, StepStatus="Executing", Metadata=metadata)
            if self.stopping.is_set():
                self.update(node, StepStatus="Stopping")
                _ask(self._running[name])

        task = Task(
            replace(node.step, name=node.name),
            arguments,
            scope,
            self._execution["ExecutionId"],
            self._execution.get("RoleArn"),
            started,
            self._execution["PipelineExecutionArn"],
            self.stopping,
            job_name,
        )
        try:
            return self._executors.run(task, self._caller)
        finally:
            self._running.pop(name, None)

    def _name(self, node: Node) -> str:
        return f"{self._execution['PipelineExecutionArn']}/{node.name}"


def _ask(stop: Callable[[], object]) -> None:
    try:
        stop()
    except ServiceError:
        return  # it ended in the meantime


def _not_retried(result: Result, arn: str, step: str, why: str) -> Result:
    note = f"\nRetry not appropriate on execution of step with PipelineExecutionArn {arn} and StepId {step}. {why}"
    reason = (result.failure_reason or "")[: LONGEST_REASON - len(note)] + note
    return Result(result.status, result.metadata, result.properties, reason, result.outcome, result.exception)
