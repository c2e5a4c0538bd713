"""How each type of step is run: through the same API operations that a user could call."""

import secrets
import sqlite3
from collections.abc import Callable
from typing import Any

from local_sagemaker.api.dispatch import Caller, Dispatcher
from local_sagemaker.api.jobs import Jobs
from local_sagemaker.engine import retries
from local_sagemaker.engine.conditions import holds
from local_sagemaker.engine.definition import Step
from local_sagemaker.engine.handled_steps import HandledSteps
from local_sagemaker.engine.shapes import RESOURCES
from local_sagemaker.engine.tasks import Arguments, Result, Task
from local_sagemaker.errors import ServiceError


class Executors:
    """Runs one step to its end; `supports` says which it can. A user's handlers go before what is built in."""

    def __init__(self, dispatcher: Dispatcher, jobs: Jobs, handled: HandledSteps) -> None:
        self._dispatcher = dispatcher
        self._jobs = jobs
        self._handled = handled
        self._by_type: dict[str, Callable[[Task, Caller], Result]] = {
            "Processing": self._processing,
            "Training": self._training,
            "Model": self._model,
            "RegisterModel": self._register,
            "Condition": self._condition,
            "Fail": self._fail,
        }

    def supports(self, step: Step) -> bool:
        """Whether a step can run on this machine; an execution runs ForEach steps by itself."""
        return step.type == "ForEach" or step.type in self._by_type or self._handled.supports(step.raw)

    def run(self, task: Task, caller: Caller) -> Result:
        """Run a step; a refused request is a failed step, in the service's words."""
        try:
            handled = self._handled.supports(task.step.raw)
            return self._handled.run(task) if handled else self._by_type[task.step.type](task, caller)
        except ServiceError as error:
            return _refused(task.step.type, error)
        except (OSError, sqlite3.OperationalError) as error:  # what the server answers with 507 InternalFailure
            return _refused(task.step.type, ServiceError("InternalFailure", str(error), 507))

    def _processing(self, task: Task, caller: Caller) -> Result:
        return self._job("Processing", task, caller)

    def _training(self, task: Task, caller: Caller) -> Result:
        return self._job("Training", task, caller)

    def _job(self, kind: str, task: Task, caller: Caller) -> Result:
        name = _resource_name(task)
        request = {**_role("RoleArn", task), **task.arguments, f"{kind}JobName": name}
        arn = self._dispatcher.call(f"Create{kind}Job", request, caller)[f"{kind}JobArn"]
        metadata = {f"{kind}Job": {"Arn": arn}}
        task.started(kind, name, metadata)
        job = self._jobs.wait(kind, name)
        status = "Succeeded" if job[f"{kind}JobStatus"] == "Completed" else str(job[f"{kind}JobStatus"])
        reason = None if status == "Succeeded" else _job_failure(kind, job)
        return Result(status, metadata, job, reason, exception=retries.of_failed_job(reason) if reason else None)

    def _model(self, task: Task, caller: Caller) -> Result:
        request = {**_role("ExecutionRoleArn", task), **task.arguments, "ModelName": _resource_name(task)}
        arn = self._dispatcher.call("CreateModel", request, caller)["ModelArn"]
        return Result("Succeeded", {"Model": {"Arn": arn}}, {**request, "ModelArn": arn})

    def _register(self, task: Task, caller: Caller) -> Result:
        arn = self._dispatcher.call("CreateModelPackage", task.arguments, caller)["ModelPackageArn"]
        package = self._dispatcher.call("DescribeModelPackage", {"ModelPackageName": arn}, caller)
        return Result("Succeeded", {"RegisterModel": {"Arn": arn}}, package)

    def _condition(self, task: Task, caller: Caller) -> Result:
        outcome = all(holds(condition, task.scope) for condition in task.step.arguments.get("Conditions", []))
        return Result("Succeeded", {"Condition": {"Outcome": str(outcome)}}, {"Outcome": outcome}, outcome=outcome)

    def _fail(self, task: Task, caller: Caller) -> Result:
        message = task.arguments.get("ErrorMessage", "")
        return Result("Failed", {"Fail": {"ErrorMessage": message}}, failure_reason=message)


def _refused(step_type: str, error: ServiceError) -> Result:
    """A request that an operation refused, in the words of the service."""
    operation = f"Create{RESOURCES[step_type][0]}" if step_type in RESOURCES else None
    said = f"Failed to invoke sagemaker:{operation}. Error Details: {error.message}" if operation else error.message
    return Result("Failed", failure_reason=f"ClientError: {said}", exception=retries.of_refusal(error))


def _role(field: str, task: Task) -> Arguments:
    return {field: task.role_arn} if task.role_arn else {}


def _resource_name(task: Task) -> str:
    """At most 63 characters, as the service names what a pipeline makes."""
    suffix = "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(10))
    name = "".join(letter if letter.isalnum() else "-" for letter in task.step.name)
    return f"pipelines-{task.execution_id}-{name[:29]}-{suffix}"


def _job_failure(kind: str, job: dict[str, Any]) -> str:
    return str(job.get("FailureReason", f"The {kind.lower()} job ended as {job[f'{kind}JobStatus']}."))
