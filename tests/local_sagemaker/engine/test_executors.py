"""Each type of step goes through the operations that a user could call."""

import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_sagemaker.definition.definition import Step
from local_sagemaker.engine.executors import NAME_PREFIXES, Executors, prefixed_name
from local_sagemaker.engine.tasks import Result
from local_sagemaker.errors import ServiceError, invalid
from local_sagemaker.wire.dispatch import Caller
from tests.local_sagemaker.conftest import IMAGE, ROLE, processing, step


def test_a_model_step_makes_a_model(pipelines: Any, sagemaker: Any) -> None:
    container = {"Image": IMAGE, "ModelDataUrl": "s3://test-bucket/model.tar.gz"}
    arguments = {"ExecutionRoleArn": ROLE, "PrimaryContainer": container}
    execution = pipelines.run(pipelines.create(step("Make", "Model", arguments)))
    arn = pipelines.steps(execution["PipelineExecutionArn"])["Make"]["Metadata"]["Model"]["Arn"]
    assert sagemaker.describe_model(ModelName=arn.rpartition("/")[2])["PrimaryContainer"] == container


def test_a_register_step_makes_a_version(pipelines: Any, sagemaker: Any) -> None:
    arguments = {"ModelPackageGroupName": "registered", "ModelApprovalStatus": "PendingManualApproval"}
    execution = pipelines.run(pipelines.create(step("Register", "RegisterModel", arguments)))
    arn = pipelines.steps(execution["PipelineExecutionArn"])["Register"]["Metadata"]["RegisterModel"]["Arn"]
    assert sagemaker.describe_model_package(ModelPackageName=arn)["ModelPackageVersion"] == 1


def test_a_request_that_the_operation_refuses_is_a_failed_step_with_the_reason(pipelines: Any) -> None:
    role = {"Get": "Parameters.Role"}
    wrong = step("Wrong", "Processing", {**processing("true"), "RoleArn": role})
    parameters = [{"Name": "Role", "Type": "String", "DefaultValue": "short"}]
    execution = pipelines.run(pipelines.create(wrong, parameters=parameters))
    failed = pipelines.steps(execution["PipelineExecutionArn"])["Wrong"]
    assert failed["StepStatus"] == "Failed"
    assert "at 'roleArn'" in failed["FailureReason"]


def test_a_step_type_that_is_not_supported_is_refused_when_the_execution_starts(pipelines: Any) -> None:
    notify = step("Notify", "Lambda", {}, FunctionArn="arn:aws:lambda:us-east-1:000000000000:function:notify")
    name = pipelines.create(notify, step("Say", "Processing", processing("true")))
    with pytest.raises(ClientError, match=r"does not support the step type of Notify \(Lambda\)"):
        pipelines.start(name)


def test_a_step_without_a_role_takes_the_pipelines(pipelines: Any, sagemaker: Any) -> None:
    arguments = {name: value for name, value in processing("true").items() if name != "RoleArn"}
    execution = pipelines.run(pipelines.create(step("Plain", "Processing", arguments)))
    arn = pipelines.steps(execution["PipelineExecutionArn"])["Plain"]["Metadata"]["ProcessingJob"]["Arn"]
    assert sagemaker.describe_processing_job(ProcessingJobName=arn.rpartition("/")[2])["RoleArn"] == ROLE


def test_a_prefix_of_the_step_s_own_begins_the_name_of_its_job() -> None:
    name = prefixed_name("team-a-clean", "abcdefghijkl", 2)
    assert re.fullmatch(r"team-a-clean-abcdefghijkl-[a-z0-9]{10}-2", name)
    longest = prefixed_name("p" * 80, "abcdefghijkl", 10)
    assert len(longest) == 63
    assert longest.endswith("-10")
    assert set(NAME_PREFIXES) == {"Processing", "Training", "Transform", "Model"}


def test_an_image_that_cannot_run_here_is_refused_before_anything_runs(pipelines: Any) -> None:
    image = "683313688378.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1"
    arguments = processing("true")
    arguments["AppSpecification"]["ImageUri"] = image
    name = pipelines.create(step("First", "Processing", processing("true")), step("Learn", "Processing", arguments))
    with pytest.raises(ClientError, match=r"The step Learn cannot run\. .* built-in algorithm linear-learner"):
        pipelines.start(name)


@pytest.mark.parametrize("place", ["", "arn:aws:sagemaker:us-east-1:000000000000:model-package-group/"])
def test_a_pipeline_makes_the_group_of_its_first_version_and_takes_one_that_is_there(
    pipelines: Any, sagemaker: Any, place: str
) -> None:
    group = f"made-by-{'arn' if place else 'name'}"
    twice = [step(f"Register{number}", "RegisterModel", {"ModelPackageGroupName": place + group}) for number in (1, 2)]
    execution = pipelines.run(pipelines.create(*twice))
    assert execution["PipelineExecutionStatus"] == "Succeeded", pipelines.steps(execution["PipelineExecutionArn"])
    assert len(sagemaker.list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"]) == 2


def ran(kind: str, arguments: dict[str, Any], call: Callable[..., Any] | None = None, job: Any = None) -> Result:
    """The result of a step over operations that `call` answers, whose job ends as `job`."""
    nothing: Any = SimpleNamespace(run=None, supports=lambda raw: False)
    work: Any = SimpleNamespace(wait=lambda *names: job)
    answers: Any = SimpleNamespace(call=call)
    executors = Executors(answers, work, work, nothing, nothing, nothing)
    made: Any = SimpleNamespace(type=kind, name="Step", raw={}, arguments=arguments)
    task: Any = SimpleNamespace(
        step=made, arguments=arguments, scope=None, role_arn=ROLE, job_name="j", execution_id="e",
        started=lambda *announced: None,
    )  # fmt: skip
    return executors.run(task, Caller("000000000000", "us-east-1"))


@pytest.mark.parametrize("values", [(1, 1), (1, 2), (2, 1), (2, 2)])
def test_a_condition_step_holds_where_all_of_its_conditions_do(values: tuple[int, int]) -> None:
    conditions = [{"Type": "Equals", "LeftValue": value, "RightValue": 1} for value in values]
    found = ran("Condition", {"Conditions": conditions})
    assert (found.status, found.outcome) == ("Succeeded", values == (1, 1))


@pytest.mark.parametrize(
    ("ended", "status", "reason"),
    [
        ({"TrainingJobStatus": "Completed"}, "Succeeded", None),
        ({"TrainingJobStatus": "Failed", "FailureReason": "AlgorithmError: no"}, "Failed", "AlgorithmError: no"),
        ({"TrainingJobStatus": "Stopped"}, "Stopped", "The training job ended as Stopped."),
    ],
)
def test_a_job_step_ends_as_its_job(ended: dict[str, str], status: str, reason: str | None) -> None:
    found = ran("Training", {}, lambda operation, request, caller: {"TrainingJobArn": "arn:j"}, ended)
    assert (found.status, found.failure_reason) == (status, reason)
    assert found.metadata == {"TrainingJob": {"Arn": "arn:j"}}


@pytest.mark.parametrize(
    ("ended", "status", "reason"),
    [
        ({"HyperParameterTuningJobStatus": "Completed"}, "Succeeded", None),
        ({"HyperParameterTuningJobStatus": "Failed"}, "Failed", "The tuning job ended as Failed."),
        ({"HyperParameterTuningJobStatus": "Stopped", "FailureReason": "by hand"}, "Stopped", "by hand"),
    ],
)
def test_a_tuning_step_ends_as_its_tuning_job(ended: dict[str, str], status: str, reason: str | None) -> None:
    found = ran("Tuning", {}, lambda operation, request, caller: {"HyperParameterTuningJobArn": "arn:t"}, ended)
    assert (found.status, found.failure_reason) == (status, reason)


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (None, "Succeeded"),
        (invalid("Model Package Group already exists: arn:g"), "Succeeded"),
        (ServiceError("AccessDeniedException", "not authorized"), "Failed"),
    ],
    ids=["new", "already there", "denied"],
)
def test_a_register_step_makes_its_group_unless_it_is_there(fault: ServiceError | None, status: str) -> None:
    asked: list[tuple[str, Any]] = []

    def call(operation: str, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        asked.append((operation, request))
        if operation == "CreateModelPackageGroup" and fault is not None:
            raise fault
        return {"ModelPackageArn": "arn:p"}

    found = ran("RegisterModel", {"ModelPackageGroupName": "arn:aws:sagemaker:us-east-1:0:model-package-group/g"}, call)
    assert found.status == status
    assert asked[0] == ("CreateModelPackageGroup", {"ModelPackageGroupName": "g"})
    assert len(asked) == (3 if status == "Succeeded" else 1)


def test_a_register_step_without_a_group_makes_none() -> None:
    asked: list[str] = []

    def call(operation: str, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        asked.append(operation)
        return {"ModelPackageArn": "arn:p"}

    assert ran("RegisterModel", {}, call).status == "Succeeded"
    assert asked == ["CreateModelPackage", "DescribeModelPackage"]


def test_names_of_tuning_jobs_have_at_most_32_characters_with_the_step_s_own_prefix_or_its_name() -> None:
    names: list[str] = []

    def call(operation: str, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        names.append(request["HyperParameterTuningJobName"])
        return {"HyperParameterTuningJobArn": "arn:t"}

    ended = {"HyperParameterTuningJobStatus": "Completed"}
    ran("Tuning", {"HyperParameterTuningJobName": "p" * 40}, call, ended)
    ran("Tuning", {}, call, ended)
    assert re.fullmatch(r"p{21}-[a-z0-9]{10}", names[0])
    assert re.fullmatch(r"e-Step-[a-z0-9]{10}", names[1])


def of_type(kind: str) -> Step:
    return Step(f"A{kind}", kind, {}, frozenset(), None, {"Type": kind})


def test_step_types_that_nothing_here_runs_are_refused_together_by_name() -> None:
    nothing: Any = None
    handled: Any = SimpleNamespace(supports=lambda raw: raw["Type"] == "EMR")
    executors = Executors(nothing, nothing, nothing, SimpleNamespace(run=None), handled, nothing)  # type: ignore[arg-type]
    own = ("Processing", "Training", "Transform", "Tuning", "Model", "RegisterModel", "Condition", "Fail", "Callback",
           "EndpointConfig", "Endpoint", "ForEach", "EMR")  # fmt: skip
    executors.refuse_unsupported(map(of_type, own))
    with pytest.raises(ServiceError, match=r"the step type of ALambda \(Lambda\), AAutoML \(AutoML\): register a"):
        executors.refuse_unsupported(map(of_type, (*own, "Lambda", "AutoML")))


def test_a_query_that_nobody_answers_is_refused_at_the_start_with_step_and_input() -> None:
    nothing: Any = None
    rows = {"InputName": "rows", "DatasetDefinition": {"AthenaDatasetDefinition": {}}}
    step = Step("Load", "Processing", {"ProcessingInputs": [rows]}, frozenset(), None, {"Type": "Processing"})

    def refuse(*keys: str) -> None:
        handled: Any = SimpleNamespace(supports=lambda raw: False, keys=keys)
        callbacks: Any = SimpleNamespace(run=None)
        Executors(nothing, nothing, nothing, callbacks, handled, nothing).refuse_unsupported([step])

    refuse("AthenaDatasetDefinition")
    with pytest.raises(ServiceError, match="the query of the input rows of the step Load without a handler: register"):
        refuse("RedshiftDatasetDefinition")
