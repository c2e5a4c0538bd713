"""Pipeline executions: started, followed, stopped, and read back."""

import json
import secrets
import time
from collections.abc import Callable

from local_sagemaker.api.dispatch import Caller, Request
from local_sagemaker.api.listing import page
from local_sagemaker.api.pipelines import Pipelines
from local_sagemaker.engine.definition import Definition, parse
from local_sagemaker.engine.execution import Execution
from local_sagemaker.errors import invalid, not_found, unsupported
from local_sagemaker.records import Records

EXECUTIONS = "execution"
STEPS = "execution-step"
RUNNING = ("Executing", "Stopping")
CRASHED = "InternalServerError: local SageMaker stopped while the execution was running."
Launch = Callable[[Request, Definition, Caller], Execution]


class Executions:
    """Start, Stop, Describe and List of executions; `launch` makes the engine's object for one."""

    def __init__(self, records: Records, pipelines: Pipelines, launch: Launch, supports: Callable[[str], bool]) -> None:
        self._records = records
        self._pipelines = pipelines
        self._launch = launch
        self._supports = supports
        self._live: dict[str, Execution] = {}

    def start_pipeline_execution(self, request: Request, caller: Caller) -> Request:
        """Run a pipeline's current definition; the same ClientRequestToken starts it once."""
        pipeline = self._pipelines.get(request["PipelineName"], caller)
        for field in ("SelectiveExecutionConfig", "PipelineVersionId", "MlflowExperimentName"):
            if field in request:
                raise unsupported(f"{field} in StartPipelineExecution")
        definition = parse(pipeline["PipelineDefinition"])
        self._refuse_unsupported_steps(definition)
        given = {entry["Name"]: entry["Value"] for entry in request.get("PipelineParameters", [])}
        values = definition.values(given)
        with self._records.lock:
            token = request.get("ClientRequestToken")
            earlier = self._records.get("execution-token", token) if token else None
            if earlier is not None:
                return earlier
            document = _new_execution(pipeline, request, values)
            arn = document["PipelineExecutionArn"]
            self._records.create(EXECUTIONS, arn, document)
            if token:
                self._records.put("execution-token", token, {"PipelineExecutionArn": arn})
            execution = self._live[arn] = self._launch(document, definition, caller)
        self._records.update("pipeline", pipeline["PipelineName"], LastRunTime=document["CreationTime"])
        execution.start()
        return {"PipelineExecutionArn": arn}

    def stop_pipeline_execution(self, request: Request, caller: Caller) -> Request:
        """Stop the running jobs and start no more."""
        arn = request["PipelineExecutionArn"]
        with self._records.lock:
            document = self._get(arn)
            if document["PipelineExecutionStatus"] not in RUNNING:
                raise invalid(f"Pipeline execution with ARN {arn} has already ended.")
            self._records.update(EXECUTIONS, arn, PipelineExecutionStatus="Stopping", LastModifiedTime=time.time())
        self._live[arn].stop()
        return {"PipelineExecutionArn": arn}

    def describe_pipeline_execution(self, request: Request, caller: Caller) -> Request:
        """One execution."""
        return self._get(request["PipelineExecutionArn"])

    def list_pipeline_executions(self, request: Request, caller: Caller) -> Request:
        """The executions of one pipeline, newest first."""
        pipeline = self._pipelines.get(request["PipelineName"], caller)
        executions = self._records.all(EXECUTIONS, prefix=f"{pipeline['PipelineArn']}/")
        for execution in executions:
            execution["StartTime"] = execution["CreationTime"]
        return page(
            executions,
            {"SortBy": "CreationTime", **request},
            result="PipelineExecutionSummaries",
            name="PipelineExecutionArn",
        )

    def list_pipeline_execution_steps(self, request: Request, caller: Caller) -> Request:
        """The steps of one execution that have started, newest first unless SortOrder says otherwise."""
        arn = request.get("PipelineExecutionArn", "")
        self._get(arn)
        steps = self._records.all(STEPS, prefix=f"{arn}/")
        for step in steps:
            step["CreationTime"] = step["StartTime"]
        return page(steps, request, result="PipelineExecutionSteps", name="StepName")

    def describe_pipeline_definition_for_execution(self, request: Request, caller: Caller) -> Request:
        """The definition that an execution runs, whatever has become of the pipeline since."""
        return self._get(request["PipelineExecutionArn"])

    def list_pipeline_parameters_for_execution(self, request: Request, caller: Caller) -> Request:
        """Every parameter of an execution with its value, defaults included."""
        values = self._get(request["PipelineExecutionArn"])["ParameterValues"]
        parameters = [
            {"Name": name, "Value": value if isinstance(value, str) else json.dumps(value)}
            for name, value in values.items()
        ]
        return page(parameters, request, result="PipelineParameters", name="Name", order="Ascending")

    def running(self) -> list[str]:
        """ARNs of the executions that have not ended."""
        return [
            document["PipelineExecutionArn"]
            for document in self._records.all(EXECUTIONS)
            if document["PipelineExecutionStatus"] in RUNNING
        ]

    def recover(self) -> None:
        """After a kill -9: executions and steps that were running have failed, and say why."""
        now = time.time()
        for arn in self.running():
            for step in self._records.all(STEPS, prefix=f"{arn}/"):
                if step["StepStatus"] == "Executing":
                    name = f"{arn}/{step['StepName']}"
                    self._records.update(STEPS, name, StepStatus="Failed", EndTime=now, FailureReason=CRASHED)
            self._records.update(
                EXECUTIONS, arn, PipelineExecutionStatus="Failed", FailureReason=CRASHED, LastModifiedTime=now
            )

    def close(self, timeout: float) -> None:
        """Stop what runs and wait for it, at most timeout seconds each."""
        for arn in self.running():
            self._live[arn].stop()
            self._live[arn].join(timeout)

    def _get(self, arn: str) -> Request:
        document = self._records.get(EXECUTIONS, arn)
        if document is None:
            raise not_found(f"Pipeline execution with ARN {arn} does not exist.")
        return document

    def _refuse_unsupported_steps(self, definition: Definition) -> None:
        refused = [f"{step.name} ({step.type})" for step in definition.steps.values() if not self._supports(step.type)]
        if refused:
            raise unsupported(f"the step type of {', '.join(refused)}")


def _new_execution(pipeline: Request, request: Request, values: dict[str, object]) -> Request:
    now = time.time()
    execution_id = "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(12))
    document = {
        "PipelineArn": pipeline["PipelineArn"],
        "PipelineName": pipeline["PipelineName"],
        "PipelineExecutionArn": f"{pipeline['PipelineArn']}/execution/{execution_id}",
        "PipelineExecutionDisplayName": request.get("PipelineExecutionDisplayName", f"execution-{round(now * 1000)}"),
        "PipelineExecutionDescription": request.get("PipelineExecutionDescription"),
        "PipelineExecutionStatus": "Executing",
        "ParallelismConfiguration": request.get(
            "ParallelismConfiguration", pipeline.get("ParallelismConfiguration", {})
        ),
        "PipelineDefinition": pipeline["PipelineDefinition"],
        "RoleArn": pipeline.get("RoleArn"),
        "ExecutionId": execution_id,
        "ParameterValues": values,
        "CreationTime": now,
        "LastModifiedTime": now,
        "CreatedBy": {},
        "LastModifiedBy": {},
    }
    return {name: value for name, value in document.items() if value not in (None, {}) or name.endswith("By")}
