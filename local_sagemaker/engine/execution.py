"""One execution of a pipeline: starts each step when what it waits for is there, and records how it all ended."""

import logging
import threading
import time
from collections.abc import Mapping
from typing import Any

from local_sagemaker.definition.definition import Definition, Step
from local_sagemaker.definition.expressions import ExpressionError, Scope, evaluate
from local_sagemaker.engine.cache import StepCache
from local_sagemaker.engine.capacity import Capacity
from local_sagemaker.engine.executors import Executors
from local_sagemaker.engine.for_each import aggregate, iterations
from local_sagemaker.engine.schedule import Node, Schedule
from local_sagemaker.engine.scope import ExecutionScope, IterationScope
from local_sagemaker.engine.selection import steps_to_run
from local_sagemaker.engine.step_run import StepRuns
from local_sagemaker.engine.tasks import Result
from local_sagemaker.errors import invalid, reason_of
from local_sagemaker.moto_services.objects import S3Objects
from local_sagemaker.state.record_kinds import EXECUTION
from local_sagemaker.state.record_types import ExecutionRecord
from local_sagemaker.state.records import Records
from local_sagemaker.wire.dispatch import Caller
from local_sagemaker.work.jobs import Jobs

LOG = logging.getLogger("local_sagemaker.engine")
STEP_FAILED = "Step failure: One or multiple steps failed."


class Execution:
    """Drives one execution in a thread of its own, and each step that runs in another.

    `kept` are the results of steps that do not run again: those of an earlier attempt, or of a reference execution.
    """

    def __init__(
        self,
        document: ExecutionRecord,
        definition: Definition,
        caller: Caller,
        kept: Mapping[str, Result],
        *,
        records: Records,
        objects: S3Objects,
        executors: Executors,
        cache: StepCache,
        jobs: Jobs,
        capacity: Capacity,
    ) -> None:
        self.arn = document["PipelineExecutionArn"]
        self._records = records
        self._capacity = capacity
        self._scope = ExecutionScope(document, definition, objects)
        self._runs = StepRuns(document, caller, records, executors, cache, jobs, capacity)
        self._kept = kept
        nodes = [_node(step) for step in steps_to_run(definition, document)]
        top = definition.steps.keys()
        self._schedule = Schedule(nodes, {name: result for name, result in kept.items() if name in top})
        for name, result in self._schedule.results.items():
            self._scope.add(name, result.properties)
        self._limit = self._parallelism(document)
        self._thread = threading.Thread(target=self._run, name=self.arn, daemon=True)

    @property
    def is_over(self) -> bool:
        """Whether it has begun and ended."""
        return self._thread.ident is not None and not self._thread.is_alive()

    def value(self, expression: Any) -> Any:
        """The value that an expression of parameters and variables has; ValidationException where it has none."""
        try:
            return evaluate(expression, self._scope)
        except ExpressionError as error:
            raise invalid(str(error)) from None

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Start nothing more, and stop the jobs that run; the execution then ends as Stopped."""
        with self._capacity.changed:
            self._schedule.stopped = True
            self._runs.stopping.set()
            self._capacity.changed.notify_all()
        self._runs.stop()

    def set_parallelism(self, document: ExecutionRecord) -> None:
        """Obey a changed ParallelismConfiguration from now on; what runs goes on."""
        with self._capacity.changed:
            self._limit = self._parallelism(document)
            self._capacity.changed.notify_all()

    def join(self, timeout: float | None = None) -> None:
        """Wait for the end."""
        if self._thread.ident is not None:
            self._thread.join(timeout)

    @staticmethod
    def _parallelism(document: ExecutionRecord) -> float:
        return float((document.get("ParallelismConfiguration") or {}).get("MaxParallelExecutionSteps", "inf"))

    def _run(self) -> None:
        try:
            self._drive()
            status = self._schedule.verdict()
            reason = STEP_FAILED if status == "Failed" else None
        except Exception as error:
            LOG.exception("the execution %s has a fault", self.arn)
            status, reason = "Failed", f"InternalServerError: {reason_of(error)}"
        self._record_end(status, reason)

    def _record_end(self, status: str, reason: str | None) -> None:
        """Write how it ended; where the disk is full, as soon as it no longer is."""

        def write() -> None:
            end = ExecutionRecord(PipelineExecutionStatus=status, FailureReason=reason, LastModifiedTime=time.time())
            self._records.update(EXECUTION, self.arn, end)

        self._records.insist(write)

    def _drive(self) -> None:
        with self._capacity.changed:
            while True:
                for name in self._schedule.settled():
                    self._close(self._schedule.nodes[name])
                ready = self._schedule.ready()
                for node in ready:
                    if self._has_room(node):
                        self._capacity.take(node.step.type)
                        self._launch(node)
                if not ready and not self._schedule.running:
                    return
                self._capacity.changed.wait()

    def _has_room(self, node: Node) -> bool:
        """Whether the parallelism and the cores allow one more step; a ForEach step is only as wide as its body."""
        if node.step.type == "ForEach":
            return True
        nodes = self._schedule.nodes
        running = sum(nodes[name].step.type != "ForEach" for name in self._schedule.running)
        return running < self._limit and self._capacity.has_room(node.step.type)

    def _launch(self, node: Node) -> None:
        self._schedule.start(node.name)
        work = self._expand if node.step.type == "ForEach" else self._run_step
        threading.Thread(target=work, args=(node,), name=f"{self.arn}/{node.name}", daemon=True).start()

    def _run_step(self, node: Node) -> None:
        result = Result("Failed", failure_reason="InternalServerError")
        try:
            result = self._runs.run(node, self._scope_of(node))
        except Exception as error:
            LOG.exception("the execution %s has a fault", self.arn)
            result = _crashed(error)
            self._runs.end(node, result)
        finally:
            with self._capacity.changed:
                self._finish(node, result)
            self._capacity.give_back(node.step.type)

    def _expand(self, node: Node) -> None:
        """Start a ForEach step: its iterations become nodes of the schedule."""
        result = None
        try:
            self._runs.begin(node)
            nodes, concurrency = iterations(node.step, self._scope)
            self._runs.update(node, StepStatus="Executing")
        except ExpressionError as error:
            result = Result("Failed", failure_reason=f"ClientError: {error}")
        except Exception as error:
            LOG.exception("the execution %s has a fault", self.arn)
            result = _crashed(error)
        try:
            if result is not None:
                self._runs.end(node, result)
        finally:
            with self._capacity.changed:
                if result is not None:
                    self._finish(node, result)
                else:
                    self._schedule.expand(node.name, nodes, concurrency)
                    for child in nodes:
                        if child.name in self._kept:
                            self._finish(child, self._kept[child.name])
                self._capacity.changed.notify_all()

    def _close(self, node: Node) -> None:
        """End a ForEach step whose iterations are over; it is written without holding up the other steps."""
        schedule = self._schedule
        result = aggregate(node.step, schedule.children(node.name), schedule.results, schedule.stopped)
        schedule.close(node.name)

        def end() -> None:
            try:
                self._runs.end(node, result)
            finally:
                with self._capacity.changed:
                    self._finish(node, result)
                    self._capacity.changed.notify_all()

        threading.Thread(target=end, name=f"{self.arn}/{node.name}", daemon=True).start()

    def _finish(self, node: Node, result: Result) -> None:
        self._scope.add(node.name, result.properties)
        self._schedule.finish(node.name, result)

    def _scope_of(self, node: Node) -> Scope:
        if node.iteration is None:
            return self._scope
        parent = self._schedule.nodes[node.iteration.parent].step
        body = {step.name: step for step in parent.body}
        return IterationScope(self._scope, node.iteration.item, body, node.iteration.index)


def _crashed(error: Exception) -> Result:
    return Result("Failed", failure_reason=f"InternalServerError: {reason_of(error)}")


def _node(step: Step) -> Node:
    after = {name: step.triggers.get(name, "Completed") for name in step.waits_for}
    return Node(step.name, step, after, step.branch)
