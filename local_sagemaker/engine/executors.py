"""How each type of step is run: through the same API operations that a user could call."""

import secrets
import sqlite3
from collections.abc import Callable, Iterable
from typing import Any

from local_sagemaker.definition.conditions import holds
from local_sagemaker.definition.definition import Step
from local_sagemaker.definition.shapes import RESOURCES
from local_sagemaker.engine import retries
from local_sagemaker.engine.callback_steps import CallbackSteps
from local_sagemaker.engine.endpoint_steps import EndpointSteps
from local_sagemaker.engine.handled_steps import HandledSteps
from local_sagemaker.engine.tasks import Arguments, Result, Task
from local_sagemaker.errors import ServiceError, invalid, reason_of, unsupported
from local_sagemaker.jobs.queries import queries
from local_sagemaker.processes.images import ImageMap, UnknownImage
from local_sagemaker.tuning.plan import refuse_strategy
from local_sagemaker.wire.dispatch import Caller, Dispatcher
from local_sagemaker.work.jobs import Jobs
from local_sagemaker.work.tuning import Tuning

IMAGES = {  # where the arguments of a step say in which image its job runs
    "Processing": ("AppSpecification", "ImageUri"),
    "Training": ("AlgorithmSpecification", "TrainingImage"),
    "Tuning": ("TrainingJobDefinition", "AlgorithmSpecification", "TrainingImage"),
}


class Executors:
    """Runs one step to its end. A user's handlers go before what is built in."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        jobs: Jobs,
        tuning: Tuning,
        callbacks: CallbackSteps,
        handled: HandledSteps,
        images: ImageMap,
    ) -> None:
        self._dispatcher = dispatcher
        self._images = images
        self._jobs = jobs
        self._tuning = tuning
        self._handled = handled
        endpoints = EndpointSteps(dispatcher)
        self._by_type: dict[str, Callable[[Task, Caller], Result]] = {
            "Processing": self._processing,
            "Training": self._training,
            "Transform": self._transform,
            "Tuning": self._tune,
            "Model": self._model,
            "RegisterModel": self._register,
            "Condition": self._condition,
            "Fail": self._fail,
            "Callback": callbacks.run,
            "EndpointConfig": endpoints.configure,
            "Endpoint": endpoints.deploy,
        }

    def refuse_unsupported(self, steps: Iterable[Step]) -> None:
        """Raise ValidationException where some of the steps cannot run on this machine, naming each and its type.

        An execution runs ForEach steps by itself.
        """
        others = [step for step in steps if not self._handled.supports(step.raw)]
        refused = [f"{step.name} ({step.type})" for step in others if step.type not in ("ForEach", *self._by_type)]
        if refused:
            raise unsupported(
                f"the step type of {', '.join(refused)}: register a handler for it (docs/local_sagemaker.md)"
            )
        for step in others:
            strategy = _at(step.arguments, "HyperParameterTuningJobConfig", "Strategy")
            if step.type == "Processing":
                self._refuse_unanswered(step)
            if step.type == "Tuning" and isinstance(strategy, str):
                refuse_strategy(strategy, f" of {step.name}")
            image = _at(step.arguments, *IMAGES.get(step.type, ("",)))
            if isinstance(image, str):  # else it is an expression, which the job will see
                self._refuse_image(image, step.name)

    def _refuse_unanswered(self, step: Step) -> None:
        for query in queries(step.arguments):
            if lack := query.lack(self._handled.keys, step.name):
                raise unsupported(lack)

    def _refuse_image(self, image: str, step: str) -> None:
        try:
            self._images.resolve(image)
        except UnknownImage as fault:
            raise invalid(f"The step {step} cannot run. {fault}") from None

    def run(self, task: Task, caller: Caller) -> Result:
        """Run a step with the pipeline's role; a refused request is a failed step, in the service's words."""
        caller = caller.as_pipeline(task.role_arn)
        try:
            handled = self._handled.supports(task.step.raw)
            return self._handled.run(task, caller) if handled else self._by_type[task.step.type](task, caller)
        except ServiceError as error:
            return _refused(task.step.type, error)
        except (OSError, sqlite3.OperationalError) as error:  # what the server answers with 507 InternalFailure
            return _refused(task.step.type, ServiceError("InternalFailure", reason_of(error), 507))

    def _processing(self, task: Task, caller: Caller) -> Result:
        return self._job("Processing", task, caller, _role("RoleArn", task))

    def _training(self, task: Task, caller: Caller) -> Result:
        return self._job("Training", task, caller, _role("RoleArn", task))

    def _transform(self, task: Task, caller: Caller) -> Result:
        return self._job("Transform", task, caller, {})

    def _job(self, kind: str, task: Task, caller: Caller, defaults: Arguments) -> Result:
        name = task.job_name
        request = {**defaults, **task.arguments, f"{kind}JobName": name}
        arn = self._dispatcher.call(f"Create{kind}Job", request, caller)[f"{kind}JobArn"]
        metadata = {f"{kind}Job": {"Arn": arn}}
        task.started(kind, name, metadata)
        job = self._jobs.wait(kind, name)
        status = "Succeeded" if job[f"{kind}JobStatus"] == "Completed" else str(job[f"{kind}JobStatus"])
        reason = None if status == "Succeeded" else _job_failure(kind, job)
        return Result(status, metadata, job, reason, exception=retries.of_failed_job(reason) if reason else None)

    def _tune(self, task: Task, caller: Caller) -> Result:
        name = _tuning_job_name(task)
        request = {**task.arguments, "HyperParameterTuningJobName": name}
        arn = self._dispatcher.call("CreateHyperParameterTuningJob", request, caller)["HyperParameterTuningJobArn"]
        metadata = {"TuningJob": {"Arn": arn}}
        task.started("", "", metadata, lambda: self._tuning.stop(name))
        job = self._tuning.wait(name)
        status = str(job["HyperParameterTuningJobStatus"])
        if status == "Completed":
            return Result("Succeeded", metadata, job)
        reason = str(job.get("FailureReason", f"The tuning job ended as {status}."))
        return Result(status, metadata, job, reason, exception=retries.of_failed_job(reason))

    def _model(self, task: Task, caller: Caller) -> Result:
        request = {**_role("ExecutionRoleArn", task), **task.arguments, "ModelName": task.job_name}
        arn = self._dispatcher.call("CreateModel", request, caller)["ModelArn"]
        return Result("Succeeded", {"Model": {"Arn": arn}}, {**request, "ModelArn": arn})

    def _register(self, task: Task, caller: Caller) -> Result:
        self._make_group(task.arguments.get("ModelPackageGroupName"), caller)
        arn = self._dispatcher.call("CreateModelPackage", task.arguments, caller)["ModelPackageArn"]
        package = self._dispatcher.call("DescribeModelPackage", {"ModelPackageName": arn}, caller)
        return Result("Succeeded", {"RegisterModel": {"Arn": arn}}, package)

    def _make_group(self, group: Any, caller: Caller) -> None:
        """Make the group, a name or an ARN, unless it is there: CreateModelPackage itself asks for one that is."""
        if not isinstance(group, str):
            return  # CreateModelPackage says so
        try:
            request = {"ModelPackageGroupName": group.rpartition("/")[2]}
            self._dispatcher.call("CreateModelPackageGroup", request, caller)
        except ServiceError as error:
            if "already exists" not in error.message:
                raise

    def _condition(self, task: Task, _caller: Caller) -> Result:
        outcome = all(holds(condition, task.scope) for condition in task.step.arguments.get("Conditions", []))
        return Result("Succeeded", {"Condition": {"Outcome": str(outcome)}}, {"Outcome": outcome}, outcome=outcome)

    def _fail(self, task: Task, _caller: Caller) -> Result:
        message = task.arguments.get("ErrorMessage", "")
        return Result("Failed", {"Fail": {"ErrorMessage": message}}, failure_reason=message)


# The arguments that name what a step makes: PipelineDefinitionConfig(use_custom_job_prefix=True) leaves them in, as a
# prefix: https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-access.html#build-and-manage-step-permissions-prefix
NAME_PREFIXES = {kind: RESOURCES[kind][1] for kind in ("Processing", "Training", "Transform", "Model")}
LONGEST_NAME, LONGEST_TUNING_NAME = 63, 32


def _refused(step_type: str, error: ServiceError) -> Result:
    """A request that an operation refused, in the words of the service."""
    operation = f"Create{RESOURCES[step_type][0]}" if step_type in RESOURCES else None
    said = f"Failed to invoke sagemaker:{operation}. Error Details: {error.message}" if operation else error.message
    return Result("Failed", failure_reason=f"ClientError: {said}", exception=retries.of_refusal(error))


def _role(field: str, task: Task) -> Arguments:
    return {field: task.role_arn} if task.role_arn else {}


def resource_name(execution_id: str, step: str) -> str:
    """At most 63 characters, as the service names what a pipeline makes."""
    return f"pipelines-{execution_id}-{_plain(step)[:29]}-{_suffix()}"


def prefixed_name(prefix: object, execution_id: str, attempt: int) -> str:
    """The name of a job whose step has one (use_custom_job_prefix): PREFIX-EXECUTION-TOKEN-ATTEMPT.

    At most 63 characters, for which the prefix gives way.
    """
    end = f"-{execution_id}-{_suffix()}-{attempt}"
    return str(prefix)[: LONGEST_NAME - len(end)].rstrip("-") + end


def _tuning_job_name(task: Task) -> str:
    """At most 32 characters, as the service allows tuning jobs no more."""
    prefix = task.arguments.get("HyperParameterTuningJobName")
    if prefix:
        end = f"-{_suffix()}"
        return str(prefix)[: LONGEST_TUNING_NAME - len(end)].rstrip("-") + end
    return f"{task.execution_id}-{_plain(task.step.name)[:8].strip('-') or 'tuning'}-{_suffix()}"


def _plain(name: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in name)


def _suffix() -> str:
    return "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(10))


def _at(document: Any, *names: str) -> Any:
    for name in names:
        document = document.get(name) if isinstance(document, dict) else None
    return document


def _job_failure(kind: str, job: dict[str, Any]) -> str:
    return str(job.get("FailureReason", f"The {kind.lower()} job ended as {job[f'{kind}JobStatus']}."))
