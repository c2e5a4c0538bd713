"""One execution of a pipeline: starts each step when what it waits for is there, and records all of it."""

import threading
import time
import traceback
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime, timezone
from typing import Any

from local_sagemaker.api.dispatch import Caller
from local_sagemaker.api.jobs import Jobs
from local_sagemaker.engine.cache import StepCache
from local_sagemaker.engine.definition import Definition, Step
from local_sagemaker.engine.executors import Executors, Result, Task
from local_sagemaker.engine.expressions import ExpressionError, evaluate
from local_sagemaker.errors import ServiceError
from local_sagemaker.jobs.outcome import ClientFault
from local_sagemaker.jobs.storage import split_s3_uri
from local_sagemaker.objects import S3Objects
from local_sagemaker.records import Records

Document = dict[str, Any]
STEP_FAILED = "Step failure: One or multiple steps failed."
REASON_LENGTH = 1024


class ExecutionScope:
    """What the references in a definition stand for in one execution; steps add their properties as they end."""

    def __init__(self, execution: Document, definition: Definition, objects: S3Objects) -> None:
        self._execution = execution
        self._definition = definition
        self._objects = objects
        self._properties: dict[str, Document] = {}

    def add(self, step: str, properties: Document) -> None:
        """Make the properties of a step that has succeeded visible."""
        self._properties[step] = properties

    def parameter(self, name: str) -> Any:
        return self._execution["ParameterValues"][name]

    def variable(self, name: str) -> Any:
        """https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-pipeline.html (execution variables)."""
        execution = self._execution
        moment = datetime.fromtimestamp(execution["CreationTime"], timezone.utc).isoformat(timespec="milliseconds")
        variables = {
            "StartDateTime": moment.replace("+00:00", "Z"),
            "CurrentDateTime": moment.replace("+00:00", "Z"),
            "PipelineName": execution["PipelineName"],
            "PipelineArn": execution["PipelineArn"],
            "PipelineExecutionId": execution["ExecutionId"],
            "PipelineExecutionArn": execution["PipelineExecutionArn"],
        }
        if name not in variables:
            raise ExpressionError(f"Execution.{name} is not an execution variable.")
        return variables[name]

    def properties(self, step: str) -> Document:
        if step not in self._properties:
            raise ExpressionError(f"Step {step} has not run, so its properties are not known.")
        return self._properties[step]

    def property_file(self, step: str, name: str) -> str:
        files = self._definition.steps[step].property_files
        if name not in files:
            raise ExpressionError(f"Step {step} has no property file {name}.")
        outputs = self.properties(step)["ProcessingOutputConfig"]["Outputs"]
        output = next(entry for entry in outputs if entry["OutputName"] == files[name]["OutputName"])
        return self.object(f"{output['S3Output']['S3Uri'].rstrip('/')}/{files[name]['FilePath']}")

    def object(self, uri: str) -> str:
        try:
            return self._objects.read(*split_s3_uri(uri)).decode()
        except (LookupError, ClientFault) as error:
            raise ExpressionError(str(error)) from None


class Execution:
    """Drives one execution in a thread of its own."""

    def __init__(
        self,
        document: Document,
        definition: Definition,
        caller: Caller,
        *,
        records: Records,
        objects: S3Objects,
        executors: Executors,
        cache: StepCache,
        jobs: Jobs,
        cores: int,
    ) -> None:
        self.arn = document["PipelineExecutionArn"]
        self._document = document
        self._definition = definition
        self._caller = caller
        self._records = records
        self._executors = executors
        self._cache = cache
        self._jobs = jobs
        self._scope = ExecutionScope(document, definition, objects)
        self._results: dict[str, Result] = {}
        self._started: set[str] = set()
        self._running_jobs: dict[str, tuple[str, str]] = {}
        self._stop = threading.Event()
        limit = document.get("ParallelismConfiguration", {}).get("MaxParallelExecutionSteps", cores)
        self._pool = ThreadPoolExecutor(max_workers=min(limit, cores), thread_name_prefix="step")
        self._thread = threading.Thread(target=self._run, name=self.arn, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Start nothing more, and stop the jobs that run; the execution then ends as Stopped."""
        self._stop.set()
        for kind, name in list(self._running_jobs.values()):
            try:
                self._jobs.stop(kind, name)
            except ServiceError:
                continue  # it ended in the meantime

    def join(self, timeout: float | None = None) -> None:
        """Wait for the end."""
        self._thread.join(timeout)

    def _run(self) -> None:
        try:
            with self._pool:
                self._drive()
            status, reason = self._verdict()
        except Exception as error:
            traceback.print_exc()
            status, reason = "Failed", f"InternalServerError: {type(error).__name__}: {error}"
        self._records.update(
            "execution",
            self.arn,
            PipelineExecutionStatus=status,
            FailureReason=reason,
            LastModifiedTime=time.time(),
            EndTime=time.time(),
        )

    def _drive(self) -> None:
        waiting: set[Future[None]] = set()
        while True:
            for step in self._ready():
                self._started.add(step.name)
                waiting.add(self._pool.submit(self._run_step, step))
            if not waiting:
                return
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                future.result()

    def _ready(self) -> list[Step]:
        if self._stop.is_set() or any(result.status != "Succeeded" for result in self._results.values()):
            return []
        return [step for step in self._definition.steps.values() if self._is_ready(step)]

    def _is_ready(self, step: Step) -> bool:
        if step.name in self._started or not step.waits_for <= set(self._results):
            return False
        return step.branch is None or self._results[step.branch[0]].outcome is step.branch[1]

    def _verdict(self) -> tuple[str, str | None]:
        statuses = {result.status for result in self._results.values()}
        if "Failed" in statuses:
            return "Failed", STEP_FAILED
        if self._stop.is_set():
            return "Stopped", None
        return ("Succeeded", None) if statuses == {"Succeeded"} else ("Failed", STEP_FAILED)

    def _run_step(self, step: Step) -> None:
        name = f"{self.arn}/{step.name}"
        record: Document = {
            "StepName": step.name,
            "StepDisplayName": step.raw.get("DisplayName"),
            "StepDescription": step.raw.get("Description"),
            "StepType": step.type,
            "StartTime": time.time(),
            "StepStatus": "Executing",
            "AttemptCount": 1,
            "Metadata": {},
        }
        self._records.put("execution-step", name, {key: value for key, value in record.items() if value is not None})
        try:
            arguments = evaluate(step.arguments, self._scope) if step.type != "Condition" else {}
            result = self._reuse(step, arguments, name) or self._execute(step, arguments, name)
        except ExpressionError as error:
            result = Result("Failed", failure_reason=f"ClientError: {error}")
        self._finish(step, name, result)

    def _reuse(self, step: Step, arguments: Document, name: str) -> Result | None:
        hit = self._cache.find(self._document["PipelineArn"], step, arguments)
        if hit is None:
            return None
        source = {"SourcePipelineExecutionArn": hit["PipelineExecutionArn"]}
        self._records.update("execution-step", name, CacheHitResult=source)
        return Result("Succeeded", hit["Metadata"], hit["Properties"])

    def _execute(self, step: Step, arguments: Document, name: str) -> Result:
        def started(kind: str, job: str, metadata: Document) -> None:
            self._records.update("execution-step", name, Metadata=metadata)
            self._running_jobs[step.name] = (kind, job)
            if self._stop.is_set():
                self.stop()

        task = Task(step, arguments, self._scope, self._document["ExecutionId"], self._document.get("RoleArn"), started)
        result = self._executors.run(task, self._caller)
        self._running_jobs.pop(step.name, None)
        if result.status == "Succeeded":
            self._records.update(
                "execution-step",
                name,
                PipelineExecutionArn=self.arn,
                Metadata=result.metadata,
                Properties=result.properties,
            )
            self._cache.remember(self._document["PipelineArn"], step, arguments, name)
        return result

    def _finish(self, step: Step, name: str, result: Result) -> None:
        reason = result.failure_reason[:REASON_LENGTH] if result.failure_reason else None
        changes: Document = {"StepStatus": result.status, "EndTime": time.time(), "FailureReason": reason}
        if result.metadata:
            changes["Metadata"] = result.metadata
        self._records.update("execution-step", name, **changes)
        self._scope.add(step.name, result.properties)
        self._results[step.name] = result
