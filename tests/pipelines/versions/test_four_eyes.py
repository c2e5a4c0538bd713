"""Who decided over a version, who made it, and that these are two people where the settings ask for it."""

from typing import Any

import pytest

from pipelines.errors import PipelineError
from pipelines.versions.four_eyes import (
    decider,
    described,
    execution_of,
    makers,
    require_another,
    require_four_eyes,
    require_second_person,
)

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
    by_hand = package(CreatedBy=by("eve"))
    assert makers(Executions(), by_hand) == {"eve"}


def test_what_made_a_version_is_read_where_nobody_can_change_it() -> None:
    forged = {"pipeline_execution_arn": "arn:aws:sagemaker:eu-west-1:111122223333:pipeline/p/execution/of-carol"}
    version = package(MetadataProperties={"GeneratedBy": EXECUTION}, CustomerMetadataProperties=forged)
    assert makers(Executions(CreatedBy=by("ada")), version) == {"ada"}
    job = package(MetadataProperties={"GeneratedBy": "somebody"}, CustomerMetadataProperties={})
    assert execution_of(job) is None


@pytest.mark.parametrize(
    ("who", "made_by"),
    [("ada", {"ada"}), ("ada", {"AWSCodeBuild-1", "ada@example.com"}), ("Ada@example.com", {"ada"}), (None, {"ada"})],
)
def test_the_one_who_made_a_version_cannot_approve_it(who: str | None, made_by: set[str]) -> None:
    with pytest.raises(PipelineError, match="version 3"):
        require_another(who, made_by, 3)


@pytest.mark.parametrize(("who", "made_by"), [("bob", {"ada"}), ("adam", {"ada@example.com"})])
def test_another_person_can(who: str, made_by: set[str]) -> None:
    require_another(who, made_by, 3)


def test_a_version_that_nobody_is_known_to_have_made_is_not_approved_by_another() -> None:
    with pytest.raises(PipelineError, match="It is not known who made version 3"):
        require_another("bob", set(), 3)


def version_of_ada(**fields: Any) -> dict[str, Any]:
    return package(ModelPackageVersion=3, MetadataProperties={"GeneratedBy": EXECUTION}, **fields)


@pytest.mark.parametrize("last", ["ada", "ada@example.com"])
def test_one_who_made_a_version_cannot_write_down_that_another_approved_it(last: str) -> None:
    """By UpdateModelPackage, as a deployment of hers would."""
    forged = {"decided_by": "bob", "changed_by": last}
    version = version_of_ada(LastModifiedBy=by(last), CustomerMetadataProperties=forged)
    with pytest.raises(PipelineError, match="nothing proves that bob approved it: let bob run"):
        require_four_eyes(Executions(CreatedBy=by("ada")), version)


def test_what_a_build_wrote_down_is_believed() -> None:
    written = {"decided_by": "bob", "changed_by": "AWSCodeBuild-1"}
    version = version_of_ada(LastModifiedBy=by("AWSCodeBuild-1", "deploy"), CustomerMetadataProperties=written)
    require_four_eyes(Executions(CreatedBy=by("ada")), version)
    by_herself = {**version, "CustomerMetadataProperties": {**written, "decided_by": "ada"}}
    with pytest.raises(PipelineError, match="ada made version 3"):
        require_four_eyes(Executions(CreatedBy=by("ada")), by_herself)


def test_who_approved_a_version_does_not_bring_it_to_a_stage_that_asks_for_two_people() -> None:
    version = package(ModelPackageVersion=3)
    require_second_person("carol", version, "production")
    for who in ("bob", "Bob", "bob@example.com"):
        with pytest.raises(PipelineError, match=f"{who} approved version 3 and cannot bring it to production, too"):
            require_second_person(who, version, "production")
    with pytest.raises(PipelineError, match="It is not known who approved version 3"):
        require_second_person("carol", {**version, "LastModifiedBy": {}}, "production")


def test_what_the_one_who_promotes_wrote_down_about_the_approval_proves_nothing() -> None:
    written = {"decided_by": "bob", "changed_by": "carol"}
    version = package(ModelPackageVersion=3, LastModifiedBy=by("carol"), CustomerMetadataProperties=written)
    with pytest.raises(PipelineError, match="nothing proves that bob approved it: let bob run"):
        require_second_person("carol", version, "production")
    require_second_person("dave", version, "production")
