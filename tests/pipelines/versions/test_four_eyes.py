"""Who decided over a version, who made it, and that these are two people where the settings ask for it."""

from typing import Any

import pytest

from pipelines.errors import PipelineError
from pipelines.versions.four_eyes import decider, described, makers, require_another

EXECUTION = "arn:aws:sagemaker:eu-west-1:111122223333:pipeline/p/execution/e"


def by(name: str, role: str = "anyone") -> dict[str, Any]:
    return {"IamIdentity": {"Arn": f"arn:aws:sts::111122223333:assumed-role/{role}/{name}"}}


def package(**fields: Any) -> dict[str, Any]:
    return {"ModelApprovalStatus": "Approved", "LastModifiedBy": by("bob"), **fields}


class Executions:
    """A SageMaker with one execution."""

    def __init__(self, **fields: Any) -> None:
        self._fields = fields

    def describe_pipeline_execution(self, PipelineExecutionArn: str) -> dict[str, Any]:
        assert PipelineExecutionArn == EXECUTION
        return self._fields


def test_who_changed_a_version_last_decided_over_it() -> None:
    assert decider(package()) == "bob"
    assert decider(package(ModelApprovalStatus="PendingManualApproval")) is None
    assert decider({"ModelApprovalStatus": "Approved"}) is None  # registered so: nobody did


def test_a_deployment_that_wrote_where_a_version_is_did_not_decide_over_it() -> None:
    properties = {"decided_by": "bob", "changed_by": "build-1"}
    deployed = package(LastModifiedBy=by("build-1", "deploy"), CustomerMetadataProperties=properties)
    assert decider(deployed) == "bob"
    later = {**deployed, "LastModifiedBy": by("eve")}  # somebody changed it since: what the properties say is stale
    assert decider(later) == "eve"


def test_who_started_the_execution_and_who_wrote_the_commit_made_a_version() -> None:
    version = package(CustomerMetadataProperties={"pipeline_execution_arn": EXECUTION})
    assert makers(Executions(CreatedBy=by("ada")), version) == {"ada"}
    text = described("0123abc", "Ada Lovelace <ada@example.com>")
    built = Executions(CreatedBy=by("AWSCodeBuild-1", "build"), PipelineExecutionDescription=text)
    assert makers(built, version) == {"AWSCodeBuild-1", "ada@example.com"}
    assert makers(Executions(), package()) == set()  # not made by a pipeline


@pytest.mark.parametrize(
    ("who", "made_by"),
    [("ada", {"ada"}), ("ada", {"AWSCodeBuild-1", "ada@example.com"}), ("Ada@example.com", {"ada"}), (None, {"ada"})],
)
def test_the_one_who_made_a_version_cannot_approve_it(who: str | None, made_by: set[str]) -> None:
    with pytest.raises(PipelineError, match="version 3"):
        require_another(who, made_by, 3)


@pytest.mark.parametrize(("who", "made_by"), [("bob", {"ada"}), ("adam", {"ada@example.com"}), ("bob", set())])
def test_another_person_can(who: str, made_by: set[str]) -> None:
    require_another(who, made_by, 3)
