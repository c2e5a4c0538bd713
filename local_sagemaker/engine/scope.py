"""What the references of a definition stand for in one execution, and in one iteration of a ForEach step."""

import json
import time
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from local_sagemaker.definition.definition import Definition, Step
from local_sagemaker.definition.expressions import ExpressionError, Scope, evaluate
from local_sagemaker.moto_services.objects import S3Objects
from local_sagemaker.processes.outcome import ClientFault
from local_sagemaker.processes.storage import split_s3_uri
from local_sagemaker.state.record_types import ExecutionRecord

Document = dict[str, Any]


class ExecutionScope:
    """The parameters and variables of one execution; steps add their properties as they end."""

    def __init__(self, execution: ExecutionRecord, definition: Definition, objects: S3Objects) -> None:
        self._execution = execution
        self._definition = definition
        self._objects = objects
        self._properties: dict[str, Document] = {}

    def add(self, step: str, properties: Document) -> None:
        """Make the properties of a step that has ended visible."""
        self._properties[step] = properties

    def parameter(self, name: str) -> Any:
        return self._execution["ParameterValues"][name]

    def variable(self, name: str) -> Any:
        """https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-pipeline.html (execution variables)."""
        execution = self._execution
        variables = {
            "StartDateTime": _moment(execution["CreationTime"]),
            "CurrentDateTime": _moment(time.time()),
            "PipelineName": execution["PipelineName"],
            "PipelineArn": execution["PipelineArn"],
            "PipelineExecutionId": execution["ExecutionId"],
            "PipelineExecutionArn": execution["PipelineExecutionArn"],
        }
        if name in ("TrainingJobName", "ProcessingJobName"):
            step_type = name.removesuffix("JobName")
            raise ExpressionError(f"Execution.{name} has a value only in the arguments of {step_type} steps.")
        if name not in variables:
            raise ExpressionError(f"Execution.{name} is not an execution variable.")
        return variables[name]

    def experiment(self, field: str) -> Any:
        config = json.loads(self._execution["PipelineDefinition"]).get("PipelineExperimentConfig") or {}
        if field not in config:
            raise ExpressionError(f"PipelineExperimentConfig.{field}: the definition gives it no value.")
        return evaluate(config[field], self)

    def properties(self, step: str) -> Document:
        if step not in self._properties:
            raise ExpressionError(f"Step {step} has not run, so its properties are not known.")
        return self._properties[step]

    def property_file(self, step: str, name: str) -> str:
        return self.read_property_file(self._definition.steps[step], name, self.properties(step))

    def read_property_file(self, step: Step, name: str, properties: Document) -> str:
        """The text of a property file of a step that has these properties; ExpressionError where there is none."""
        files = step.property_files
        if name not in files:
            raise ExpressionError(f"Step {step.name} has no property file {name}.")
        outputs = properties.get("ProcessingOutputConfig", {}).get("Outputs", [])
        wanted = files[name]["OutputName"]
        uris = [entry["S3Output"]["S3Uri"] for entry in outputs if entry["OutputName"] == wanted]
        if not uris:
            raise ExpressionError(f"Step {step.name} has no output {wanted}, where its property file {name} would be.")
        return self.object(f"{uris[0].rstrip('/')}/{files[name]['FilePath']}")

    def object(self, uri: str) -> str:
        try:
            return self._objects.read(*split_s3_uri(uri)).decode()
        except (LookupError, ClientFault) as error:
            raise ExpressionError(str(error)) from None
        except UnicodeDecodeError:
            raise ExpressionError(f"{uri} is not a text in UTF-8.") from None

    def item(self) -> Any:
        raise ExpressionError("ForEach.CurrentItem has a value only in the body of a ForEach step.")


class InnerScope:
    """A scope within another, which answers what this one does not."""

    def __init__(self, outer: Scope) -> None:
        self._outer = outer

    def parameter(self, name: str) -> Any:
        return self._outer.parameter(name)

    def variable(self, name: str) -> Any:
        return self._outer.variable(name)

    def experiment(self, field: str) -> Any:
        return self._outer.experiment(field)

    def properties(self, step: str) -> Document:
        return self._outer.properties(step)

    def property_file(self, step: str, name: str) -> str:
        return self._outer.property_file(step, name)

    def object(self, uri: str) -> str:
        return self._outer.object(uri)

    def item(self) -> Any:
        return self._outer.item()


class IterationScope(InnerScope):
    """The scope of one iteration: the current item, and the steps of the body as they ran for it."""

    def __init__(self, outer: ExecutionScope, item: Any, body: Mapping[str, Step], index: int) -> None:
        super().__init__(outer)
        self._read_property_file = outer.read_property_file
        self._item = item
        self._body = body
        self._index = index

    def properties(self, step: str) -> Document:
        return super().properties(iteration_name(step, self._index) if step in self._body else step)

    def property_file(self, step: str, name: str) -> str:
        if step in self._body:
            return self._read_property_file(self._body[step], name, self.properties(step))
        return super().property_file(step, name)

    def item(self) -> Any:
        return self._item


class JobScope(InnerScope):
    """The scope of one attempt at a step: Execution.TrainingJobName is, in a Training step, the name of its job."""

    def __init__(self, outer: Scope, step_type: str, job_name: str) -> None:
        super().__init__(outer)
        self._variable = f"{step_type}JobName"
        self._job_name = job_name

    def variable(self, name: str) -> Any:
        return self._job_name if name == self._variable else super().variable(name)


def iteration_name(step: str, index: int) -> str:
    """The name under which the service lists a step of a ForEach body for one item: ProcessItem-0."""
    return f"{step}-{index}"


def item_text(item: Any) -> str:
    """An item as ListPipelineExecutionSteps shows it: a text as it is, anything else as JSON."""
    return item if isinstance(item, str) else json.dumps(item)


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
