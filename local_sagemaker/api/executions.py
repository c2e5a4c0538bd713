"""Pipeline executions: started, followed, changed, stopped, retried, and read back."""

import json
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Literal

from local_sagemaker.api.listing import page, page_of
from local_sagemaker.api.pipeline_versions import PipelineVersions
from local_sagemaker.api.pipelines import Pipelines
from local_sagemaker.api.reference_execution import reuse, step_results
from local_sagemaker.api.request_tokens import RequestTokens
from local_sagemaker.definition.definition import Definition, Step, parse
from local_sagemaker.engine.execution import Execution
from local_sagemaker.engine.selection import check_selection, steps_to_run
from local_sagemaker.engine.tasks import Result
from local_sagemaker.errors import invalid, not_found, unsupported
from local_sagemaker.state.record_kinds import EXECUTION, EXECUTION_STEP, PIPELINE
from local_sagemaker.state.record_types import ExecutionRecord, PipelineRecord, PipelineVersionRecord, StepRecord
from local_sagemaker.state.records import Records, without_none
from local_sagemaker.wire.dispatch import Caller, Request

RUNNING = ("Executing", "Stopping")
RETRYABLE = ("Failed", "Stopped")
UNFINISHED = ("Starting", "Executing", "Stopping")
CHANGED: tuple[
    Literal["PipelineExecutionDisplayName", "PipelineExecutionDescription", "ParallelismConfiguration"], ...
] = ("PipelineExecutionDisplayName", "PipelineExecutionDescription", "ParallelismConfiguration")
CRASHED = "InternalServerError: local SageMaker stopped while the execution was running."
Launch = Callable[[ExecutionRecord, Definition, Caller, Mapping[str, Result]], Execution]


class Executions:
    """The operations on executions; `launch` makes the engine's object for one."""

    def __init__(
        self,
        records: Records,
        pipelines: Pipelines,
        versions: PipelineVersions,
        launch: Launch,
        refuse_unsupported: Callable[[Iterable[Step]], None],
    ) -> None:
        self._records = records
        self._pipelines = pipelines
        self._versions = versions
        self._launch = launch
        self._refuse_unsupported = refuse_unsupported
        self._tokens = RequestTokens(records)
        self._live: dict[str, Execution] = {}

    def start_pipeline_execution(self, request: Request, caller: Caller) -> Request:
        """Run a version of a pipeline, or the chosen steps of it; the same ClientRequestToken starts it once."""
        pipeline = self._pipelines.get(request["PipelineName"], caller)
        begun: list[Execution] = []
        answer = self._tokens.once(
            pipeline["PipelineArn"],
            "StartPipelineExecution",
            request,
            lambda: self._start(pipeline, request, caller, begun),
        )
        for execution in begun:  # its record is on disk by now
            execution.start()
        return answer

    def stop_pipeline_execution(self, request: Request, caller: Caller) -> Request:
        """Stop the running jobs and start no more."""
        arn = request["PipelineExecutionArn"]

        def mark() -> Request:
            if self._get(arn)["PipelineExecutionStatus"] not in RUNNING:
                raise invalid(f"Pipeline execution with ARN {arn} has already ended.")
            changes = ExecutionRecord(PipelineExecutionStatus="Stopping", LastModifiedTime=time.time())
            self._records.update(EXECUTION, arn, changes)
            return {"PipelineExecutionArn": arn}

        answer = self._tokens.once(arn, "StopPipelineExecution", request, mark)
        if self._get(arn)["PipelineExecutionStatus"] == "Stopping":  # and not retried since the token was new
            self._live[arn].stop()
        return answer

    def retry_pipeline_execution(self, request: Request, caller: Caller) -> Request:
        """Continue an execution that failed or was stopped: succeeded steps are kept, the others run again."""
        arn = request["PipelineExecutionArn"]
        begun: list[Execution] = []
        answer = self._tokens.once(
            arn, "RetryPipelineExecution", request, lambda: self._retry(arn, request, caller, begun)
        )
        for execution in begun:
            execution.start()
        return answer

    def update_pipeline_execution(self, request: Request, caller: Caller) -> Request:
        """Change the names of an execution, or how many of its steps run at once from now on."""
        arn = request["PipelineExecutionArn"]
        changes: ExecutionRecord = {"LastModifiedTime": time.time()}
        for field in CHANGED:
            if field in request:
                changes[field] = request[field]
        with self._records.lock:
            self._get(arn)
            document = self._records.update(EXECUTION, arn, changes)
        if arn in self._live:
            self._live[arn].set_parallelism(document)
        return {"PipelineExecutionArn": arn}

    def describe_pipeline_execution(self, request: Request, caller: Caller) -> Request:
        """One execution."""
        document = self._get(request["PipelineExecutionArn"])
        # AWS tells the role only of executions of the pipelines that it manages.
        return {**document, "RoleArn": None, "PipelineVersionAliases": self._aliases(document)}

    def list_pipeline_executions(self, request: Request, caller: Caller) -> Request:
        """The executions of one pipeline, or of the version with an alias, newest first."""
        pipeline = self._pipelines.get(request["PipelineName"], caller)
        prefix = f"{pipeline['PipelineArn']}/"
        by_arn = request.get("SortBy") == "PipelineExecutionArn"
        query = {**request, "SortBy": "Name" if by_arn else "CreationTime"}
        result, name = "PipelineExecutionSummaries", "PipelineExecutionArn"
        if "PipelineVersionAlias" in request:
            number = self._versions.get(pipeline, request)["PipelineVersionId"]
            executions = self._records.all(EXECUTION, prefix)
            of_version = (execution for execution in executions if execution.get("PipelineVersionId") == number)
            found = page(of_version, query, result=result, name=name)
        else:
            found = page_of(self._records, EXECUTION, query, result=result, name=name, prefix=prefix)
        for execution in found[result]:
            execution["StartTime"] = execution["CreationTime"]
            execution["PipelineExecutionFailureReason"] = execution.get("FailureReason")
            execution["PipelineVersionAliases"] = self._aliases(execution)
        return found

    def list_pipeline_execution_steps(self, request: Request, caller: Caller) -> Request:
        """The steps of one execution that have started, newest first unless SortOrder says otherwise."""
        arn = request.get("PipelineExecutionArn", "")
        self._get(arn)
        records = self._records.all(EXECUTION_STEP, prefix=f"{arn}/")
        steps = ({**step, "CreationTime": step["StartTime"]} for step in records)
        return page(steps, request, result="PipelineExecutionSteps", name="StepName")

    def describe_pipeline_definition_for_execution(self, request: Request, caller: Caller) -> Request:
        """The definition that an execution runs, even if the pipeline has changed since."""
        document = self._get(request["PipelineExecutionArn"])
        pipeline = self._pipelines.get(document["PipelineName"], caller)
        return {**document, "CreationTime": pipeline["CreationTime"]}

    def list_pipeline_parameters_for_execution(self, request: Request, caller: Caller) -> Request:
        """Every parameter of an execution with its value, defaults included."""
        values = self._get(request["PipelineExecutionArn"]).get("ParameterValues", {})
        parameters = [
            {"Name": name, "Value": value if isinstance(value, str) else json.dumps(value)}
            for name, value in values.items()
        ]
        return page(parameters, request, result="PipelineParameters", name="Name", order="Ascending")

    def running(self) -> list[str]:
        """ARNs of the executions that have not ended."""
        return [
            document["PipelineExecutionArn"]
            for document in self._records.all(EXECUTION)
            if document["PipelineExecutionStatus"] in RUNNING
        ]

    def recover(self) -> None:
        """After a kill -9: executions and steps that were running have failed, and say why."""
        now = time.time()
        for arn in self.running():
            for step in self._records.all(EXECUTION_STEP, prefix=f"{arn}/"):
                if step["StepStatus"] in UNFINISHED:
                    name = f"{arn}/{step['StepName']}"
                    failed = StepRecord(StepStatus="Failed", EndTime=now, FailureReason=CRASHED)
                    self._records.update(EXECUTION_STEP, name, failed)
            end = ExecutionRecord(PipelineExecutionStatus="Failed", FailureReason=CRASHED, LastModifiedTime=now)
            self._records.update(EXECUTION, arn, end)

    def close(self, timeout: float) -> None:
        """Stop what runs and wait for it, at most timeout seconds in all."""
        live = [self._live[arn] for arn in self.running()]
        for execution in live:
            execution.stop()
        deadline = time.monotonic() + timeout
        for execution in live:
            execution.join(max(0.0, deadline - time.monotonic()))

    def _start(self, pipeline: PipelineRecord, request: Request, caller: Caller, begun: list[Execution]) -> Request:
        if "MlflowExperimentName" in request:
            raise unsupported("MlflowExperimentName in StartPipelineExecution")
        if "RoleArn" in request:
            raise invalid("RoleArn is for pipelines that AWS manages: the executions of this one use its role.")
        version = self._versions.get(pipeline, request)
        definition = parse(version["PipelineDefinition"])
        selection = request.get("SelectiveExecutionConfig")
        selected = [entry["StepName"] for entry in selection["SelectedSteps"]] if selection else []
        if selection:
            check_selection(definition, selected)
        steps = steps_to_run(definition, request)
        self._refuse_unsupported(inner for step in steps for inner in _with_body(step))
        values = definition.values({entry["Name"]: entry["Value"] for entry in request.get("PipelineParameters", [])})
        document = _new_execution(pipeline, version, request, values, caller)
        arn = document["PipelineExecutionArn"]
        kept = reuse(self._records, definition, selected, document) if selection else {}
        self._records.create(EXECUTION, arn, document)
        self._versions.executed(pipeline["PipelineArn"], version["PipelineVersionId"], arn)
        self._records.update(PIPELINE, pipeline["PipelineName"], PipelineRecord(LastRunTime=document["CreationTime"]))
        execution = self._prepared(document, definition, caller, kept)
        experiment = json.loads(version["PipelineDefinition"]).get("PipelineExperimentConfig")
        if experiment:
            named = ExecutionRecord(PipelineExperimentConfig=execution.value(experiment))
            self._records.update(EXECUTION, arn, named)
        begun.append(execution)
        return {"PipelineExecutionArn": arn}

    def _retry(self, arn: str, request: Request, caller: Caller, begun: list[Execution]) -> Request:
        document = self._get(arn)
        status = document["PipelineExecutionStatus"]
        if status not in RETRYABLE:
            raise invalid(
                f"Pipeline execution with ARN {arn} cannot be retried: it is {status}, and only executions that are "
                f"{' or '.join(RETRYABLE)} can be."
            )
        kept = step_results(self._records, arn)
        definition = parse(document["PipelineDefinition"])
        rest = [step for step in steps_to_run(definition, document) if step.name not in kept]
        self._refuse_unsupported(inner for step in rest for inner in _with_body(step))
        for step in self._records.all(EXECUTION_STEP, prefix=f"{arn}/"):
            if step["StepName"] not in kept:
                self._records.delete(EXECUTION_STEP, f"{arn}/{step['StepName']}")
        changes: ExecutionRecord = {
            "PipelineExecutionStatus": "Executing",
            "FailureReason": None,
            "LastModifiedTime": time.time(),
        }
        if "ParallelismConfiguration" in request:
            changes["ParallelismConfiguration"] = request["ParallelismConfiguration"]
        document = self._records.update(EXECUTION, arn, changes)
        begun.append(self._prepared(document, definition, caller, kept))
        return {"PipelineExecutionArn": arn}

    def _prepared(
        self, document: ExecutionRecord, definition: Definition, caller: Caller, kept: Mapping[str, Result]
    ) -> Execution:
        self._live = {arn: execution for arn, execution in self._live.items() if not execution.is_over}
        execution = self._live[document["PipelineExecutionArn"]] = self._launch(document, definition, caller, kept)
        return execution

    def _aliases(self, document: ExecutionRecord) -> list[str]:
        return self._versions.aliases(document["PipelineArn"], document.get("PipelineVersionId"))

    def _get(self, arn: str) -> ExecutionRecord:
        document = self._records.get(EXECUTION, arn)
        if document is None:
            raise not_found(f"Pipeline execution with ARN {arn} does not exist.")
        return document


def _with_body(step: Step) -> tuple[Step, ...]:
    return (step, *step.body)


def _new_execution(
    pipeline: PipelineRecord,
    version: PipelineVersionRecord,
    request: Request,
    values: dict[str, object],
    caller: Caller,
) -> ExecutionRecord:
    now = time.time()
    execution_id = "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(12))
    document: ExecutionRecord = {
        "PipelineArn": pipeline["PipelineArn"],
        "PipelineName": pipeline["PipelineName"],
        "PipelineExecutionArn": f"{pipeline['PipelineArn']}/execution/{execution_id}",
        "PipelineExecutionDisplayName": request.get("PipelineExecutionDisplayName", f"execution-{round(now * 1000)}"),
        "PipelineExecutionDescription": request.get("PipelineExecutionDescription"),
        "PipelineExecutionStatus": "Executing",
        "PipelineVersionId": version["PipelineVersionId"],
        "ParallelismConfiguration": request.get("ParallelismConfiguration", pipeline.get("ParallelismConfiguration"))
        or None,
        "SelectiveExecutionConfig": request.get("SelectiveExecutionConfig") or None,
        "PipelineDefinition": version["PipelineDefinition"],
        "RoleArn": pipeline.get("RoleArn"),
        "ExecutionId": execution_id,
        "ParameterValues": values,
        "CreationTime": now,
        "LastModifiedTime": now,
        "CreatedBy": caller.user_context,
        "LastModifiedBy": caller.user_context,
    }
    return without_none(document)
