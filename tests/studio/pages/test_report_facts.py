"""What stands above a report: what the account knows of the execution that the report is of."""

import io
import json
from datetime import datetime, timezone
from typing import Any

import pytest

from studio.graph.definition import read_definition
from studio.pages.execution import Execution, StepRun
from studio.pages.report_facts import facts_of
from tests.studio.conftest import Answering, FakeAccount

WHEN = datetime(2026, 6, 1, 12, 30, tzinfo=timezone.utc)
PACKAGE = "arn:aws:sagemaker:us-east-1:000000000000:model-package/houses/3"
JOB = {"ProcessingJob": {"Arn": "arn:aws:sagemaker:us-east-1:000000000000:processing-job/check"}}
REGISTER = {
    "Name": "Register",
    "Type": "RegisterModel",
    "Arguments": {"ModelPackageGroupName": "houses", "CustomerMetadataProperties": {"git_commit": "031b1a1"}},
}
MODEL = "s3://b/2/model.tar.gz"
BROKEN = [
    {"level": "rows", "reason": "no rooms", "unexpected_rows": 1200},
    {"level": "rows", "reason": "no price", "unexpected_rows": 0},
    {"level": "table", "reason": "few rows", "unexpected_rows": 5},
]
CHECKED = {"file": "h.csv", "sha256": "0123456789abcdef", "rows": {"read": 21613, "rejected": 1200}}


def run(name: str, metadata: dict[str, Any]) -> StepRun:
    return StepRun(name, "", "Succeeded", WHEN, WHEN, 1, None, None, metadata, "")


def facts(
    *runs: StepRun,
    document: Any = None,
    steps: Any = (REGISTER,),
    about: Any = None,
    properties: Any = None,
    **parameters: str,
) -> dict[str, tuple[str, str | None]]:
    body = json.dumps(document).encode()
    output = {"OutputName": "report", "S3Output": {"S3Uri": "s3://b/checked/"}}
    package = {
        "ModelPackageArn": PACKAGE,
        "ModelApprovalStatus": "Approved",
        "CreationTime": WHEN,
        "CustomerMetadataProperties": properties or {},
        "InferenceSpecification": {"Containers": [{"ModelDataUrl": MODEL}]},
    }
    sagemaker = Answering(
        describe_model_package=package,
        list_model_packages={"ModelPackageSummaryList": [{"ModelPackageArn": PACKAGE}]},
        describe_processing_job={"ProcessingOutputConfig": {"Outputs": [output]}},
    )
    s3 = Answering(
        get_object=lambda **_: {"ContentLength": len(body), "Body": io.BytesIO(body)},
        list_objects_v2={"Contents": [{"Key": "checked/index.html"}]},
    )
    declared = [{"Name": "Least", "Type": "Float", "DefaultValue": 0.9}]
    definition = read_definition(json.dumps({"Parameters": declared, "Steps": list(steps)}))
    described = {"CreationTime": WHEN, "CreatedBy": {"IamIdentity": {"Arn": "arn:aws:sts::0:assumed-role/r/ana"}}}
    execution = Execution("arn:aws:sagemaker:us-east-1:0:pipeline/p/execution/e1", {**described, **(about or {})},
                          definition, runs, (), parameters)  # fmt: skip
    account: Any = FakeAccount(sagemaker=sagemaker, s3=s3)
    return {fact.name: (fact.text, fact.link) for fact in facts_of(account, execution)}


def test_a_registered_version_is_named_with_its_status_and_who_started_the_execution() -> None:
    found = facts(run("Register", {"RegisterModel": {"Arn": PACKAGE}}))
    assert found["Model"] == ("houses version 3, Approved, registered 2026-06-01 12:30 UTC", "/registry/houses/3")
    assert found["Execution"] == ("e1, started 2026-06-01 12:30 UTC by ana", "/pipelines/p/executions/e1")
    assert found["Commit"] == ("031b1a1", None)


@pytest.mark.parametrize(
    ("properties", "said"),
    [
        ({}, None),
        ({"reserve": "s3://b/r"}, "not scored yet: a promotion does that"),
        ({"reserve": "s3://b/r", "reserve_summary": "400 rows: R2 0.91"}, "400 rows: R2 0.91"),
    ],
)
def test_what_the_reserve_of_a_version_said_stands_above_its_report(
    properties: dict[str, str], said: str | None
) -> None:
    found = facts(run("Register", {"RegisterModel": {"Arn": PACKAGE}}), properties=properties)
    assert found.get("Reserve", (None, None))[0] == said


def test_what_was_not_registered_is_said_and_a_person_of_studio_is_named() -> None:
    found = facts(about={"CreatedBy": {"UserProfileName": "eva"}, "PipelineExecutionDescription": "new roofs"})
    assert found["Model"] == ("houses, not registered", None)
    assert found["Execution"][0] == "e1, started 2026-06-01 12:30 UTC by eva: new roofs"


def test_rows_are_rejected_for_their_reasons_and_the_page_on_the_data_is_linked() -> None:
    found = facts(run("Check", JOB), document=CHECKED | {"expectations": BROKEN}, Data="s3://b/h.csv")
    assert found["Data"] == ("h.csv, SHA-256 0123456789ab", None)
    assert found["Rejected rows"] == (
        "1,200 of 21,613: no rooms (1,200)",
        "/objects?uri=s3%3A%2F%2Fb%2Fchecked%2Findex.html",
    )


@pytest.mark.parametrize(
    "document", [None, [], {"rows": 3}, {"rows": {"read": "9", "rejected": 1}}, {"rows": {"read": 3}}]
)
def test_a_document_of_another_form_leaves_what_the_execution_was_given(document: Any) -> None:
    found = facts(run("Check", JOB), document=document, Data="s3://b/h.csv", Folder="s3://b/", Word="h")
    assert "Rejected rows" not in found
    assert found["Data"] == ("s3://b/h.csv", "/objects?uri=s3%3A%2F%2Fb%2Fh.csv")
    assert not {"Folder", "Word"} & set(found)


def test_the_champion_is_the_version_whose_model_was_given() -> None:
    assert facts(Rival=MODEL)["Champion"] == ("houses version 3, given as Rival", "/registry/houses/3")
    assert "Champion" not in facts(Rival="s3://b/9/model.tar.gz")


def test_limits_that_let_more_through_are_told() -> None:
    compared = {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.E.PropertyFiles.R"}, "Path": "r2"}}
    limit = {"Type": "GreaterThan", "LeftValue": compared, "RightValue": {"Get": "Parameters.Least"}}
    gate = {"Name": "Good", "Type": "Condition", "Arguments": {"Conditions": [limit], "IfSteps": [REGISTER]}}
    assert facts(steps=[gate], Least="-0.5")["Limits relaxed by parameters"][0] == "r2 > Least: -0.5 instead of 0.9"
    assert "Limits relaxed by parameters" not in facts(steps=[gate], Least="0.95")


@pytest.mark.parametrize("arguments", [None, [], {"ModelPackageGroupName": {"Get": "Parameters.G"}},
                                       {"CustomerMetadataProperties": [1]}])  # fmt: skip
def test_a_definition_of_another_kind_says_less(arguments: Any) -> None:
    found = facts(steps=[{"Name": "Register", "Type": "RegisterModel", "Arguments": arguments}], Rival=MODEL)
    assert set(found) == {"Execution", "Rival"}
