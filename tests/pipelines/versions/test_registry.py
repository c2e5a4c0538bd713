"""Versions are listed with their metrics, approved and rejected."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from command_line.versions_view import models_table, show_decision
from pipelines.errors import PipelineError
from pipelines.versions import registry
from pipelines.versions.registry import Decision, models
from tests.aws_stub import arn
from tests.pipelines.conftest import GROUP, Executions, Output


def decide(
    decision: Callable[..., Decision], sagemaker: Any, group: str, version: str, comment: str | None, output: Output
) -> str:
    """As the commands approve and reject do it."""
    made = decision(sagemaker, group, version, comment)
    show_decision(output, group, made)
    return made.arn


def listed(executions: Executions, output: Output) -> str:
    output.show(models_table(models(executions.sagemaker, executions.s3, GROUP), GROUP, "USD"))
    return output.text


def test_versions_are_listed_newest_first_with_metrics_commit_approver_and_comment(
    executions: Executions, output: Output
) -> None:
    executions.register("Approved", ApprovalDescription="fine", LastModifiedBy={"UserProfileName": "ada"})
    executions.register()
    header, newest, oldest = listed(executions, output).splitlines()
    assert header.split() == ["VERSION", "STATUS", "CREATED", "RMSE", "MAE", "MAPE", "R2", "COMMIT", "BY", "COMMENT"]
    assert newest.startswith("2        PendingManualApproval")
    assert newest.endswith("$112,345  $61,234  11.3 %  0.9041  012345678-dirty  -    -")
    assert oldest.endswith("ada  fine")


def test_a_version_whose_evaluation_is_gone_is_listed_with_dashes(executions: Executions, output: Output) -> None:
    executions.register()
    executions.aws.objects.clear()
    assert "-     -    -     -   012345678-dirty" in listed(executions, output)


def test_a_group_without_versions_says_what_to_do(executions: Executions, output: Output) -> None:
    assert listed(executions, output) == f"Group {GROUP} has no model yet: run the pipeline.\n"


def test_versions_as_json_hold_numbers(executions: Executions) -> None:
    executions.register()
    output = Output(json_output=True)
    document = json.loads(listed(executions, output))
    assert document[0]["metrics"] == {"rmse": 112345.4, "mae": 61234.5, "mape": 0.1131, "r2": 0.90412}


def test_a_version_is_approved_by_number_with_a_comment(executions: Executions, output: Output) -> None:
    package = executions.register()
    assert decide(registry.approve, executions.sagemaker, GROUP, "1", "looks right", output) == package
    assert executions.aws.asked("UpdateModelPackage") == [
        {"ModelPackageArn": package, "ModelApprovalStatus": "Approved", "ApprovalDescription": "looks right"}
    ]
    assert output.text == f"Version 1 of {GROUP} is Approved; it was PendingManualApproval.\n"


def test_a_version_is_rejected_by_arn_without_a_comment(executions: Executions, output: Output) -> None:
    package = executions.register("Approved")
    decide(registry.reject, executions.sagemaker, GROUP, package, None, output)
    assert executions.aws.asked("UpdateModelPackage") == [
        {"ModelPackageArn": package, "ModelApprovalStatus": "Rejected"}
    ]


def test_approving_an_approved_version_changes_nothing_and_says_so(executions: Executions, output: Output) -> None:
    executions.register("Approved", ApprovalDescription="fine")
    decide(registry.approve, executions.sagemaker, GROUP, "1", "again", output)
    assert executions.aws.asked("UpdateModelPackage") == []
    assert output.text == f'Version 1 of {GROUP} is already Approved ("fine"): nothing changed.\n'


def test_with_four_eyes_an_approval_that_another_may_have_made_is_repeated(
    executions: Executions, output: Output
) -> None:
    def by(name: str) -> dict[str, Any]:
        return {"IamIdentity": {"Arn": f"arn:aws:sts::111122223333:assumed-role/approver/{name}"}}

    executions.register("Approved", CreatedBy=by("SageMaker"), LastModifiedBy=by("ada"))
    approved = partial(registry.approve, executions.sagemaker, GROUP, "1", None)
    assert approved("bob").repeated
    assert len(executions.aws.asked("UpdateModelPackage")) == 1
    assert not approved("ada").repeated  # it is hers already
    assert len(executions.aws.asked("UpdateModelPackage")) == 1
    show_decision(output, GROUP, approved("bob"))
    assert output.text == f"Version 1 of {GROUP} was Approved, and now is so by you.\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("7", "has no version 7: it has 1 to 3"),
        (arn(f"model-package/{GROUP}/7"), "it has 1 to 3"),
        ("newest", "'newest' is not a version: give its number, such as 3"),
    ],
)
def test_an_unknown_version_is_refused_with_those_that_exist(
    executions: Executions, output: Output, text: str, message: str
) -> None:
    for _ in range(3):
        executions.register()
    with pytest.raises(PipelineError) as caught:
        decide(registry.approve, executions.sagemaker, GROUP, text, None, output)
    assert message in str(caught.value)


def test_approving_in_an_empty_group_says_what_to_do(executions: Executions, output: Output) -> None:
    with pytest.raises(PipelineError, match="has no model yet: run the pipeline"):
        decide(registry.approve, executions.sagemaker, GROUP, "1", None, output)


def test_a_comment_that_is_too_long_is_refused_before_anything_changes(executions: Executions, output: Output) -> None:
    executions.register()
    with pytest.raises(PipelineError, match="1025 characters: at most 1024 are allowed"):
        decide(registry.approve, executions.sagemaker, GROUP, "1", "x" * 1025, output)
