"""Artifacts, actions, contexts and associations that clients write, beside those that SageMaker makes by itself."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.api.lineage import Lineage
from local_sagemaker.api.lineage_writes import LineageWrites
from local_sagemaker.errors import ServiceError
from local_sagemaker.lineage.graph import lineage
from local_sagemaker.state.database import Database
from local_sagemaker.state.record_kinds import MODEL_PACKAGE_GROUP
from local_sagemaker.state.records import Records
from local_sagemaker.wire.dispatch import Caller
from local_sagemaker.work.tags import Tags

CALLER = Caller("000000000000", "us-east-1")
GROUP = CALLER.arn("context/g-aws-model-package-group")


class Both:
    """The operations that write and those that read, on one state with one group of model packages."""

    def __init__(self, records: Records) -> None:
        group = {"ModelPackageGroupName": "g", "ModelPackageGroupArn": CALLER.arn("model-package-group/g")}
        records.put(MODEL_PACKAGE_GROUP, "g", {**group, "CreationTime": 1.0})
        graph = partial(lineage, records)
        self.groups = (LineageWrites(records, Tags(records), graph), Lineage(graph))

    def __call__(self, operation: str, **request: Any) -> Any:
        method = next(getattr(each, operation) for each in self.groups if hasattr(each, operation))
        return method(request, CALLER)


@pytest.fixture(name="call")
def call_fixture(tmp_path: Path) -> Iterator[Both]:
    database = Database(tmp_path / "state.db")
    yield Both(Records(database))
    database.close()


def create(call: Both, name: str = "raw", **fields: Any) -> str:
    source = {"SourceUri": f"s3://b/{name}"}
    made = call("create_artifact", ArtifactName=name, ArtifactType="DataSet", Source=source, **fields)
    return str(made["ArtifactArn"])


def test_what_a_client_has_created_is_described_listed_and_changed(call: Both) -> None:
    arn = create(call, Properties={"rows": "3", "kind": "raw"})
    call(
        "update_artifact", ArtifactArn=arn, ArtifactName="clean", Properties={"rows": "2"}, PropertiesToRemove=["kind"]
    )
    found = call("describe_artifact", ArtifactArn=arn)
    assert (found["ArtifactName"], found["ArtifactType"], found["Properties"]) == ("clean", "DataSet", {"rows": "2"})
    assert found["Source"] == {"SourceUri": "s3://b/raw"}
    assert found["LastModifiedTime"] >= found["CreationTime"]
    listed = call("list_artifacts", SourceUri="s3://b/raw")["ArtifactSummaries"]
    assert [each["ArtifactArn"] for each in listed] == [arn]
    assert create(call) != arn  # of the same source, as on AWS


def test_associations_lead_from_what_a_client_made_to_what_sagemaker_made(call: Both) -> None:
    raw, source = create(call), {"SourceUri": "mail", "SourceType": "Mail"}
    action = call("create_action", ActionName="Asked", ActionType="Approval", Source=source, Status="Completed")[
        "ActionArn"
    ]
    assert action == CALLER.arn("action/asked")
    call("add_association", SourceArn=raw, DestinationArn=action, AssociationType="ContributedTo")
    call("add_association", SourceArn=action, DestinationArn=GROUP)
    reached = call("query_lineage", StartArns=[GROUP], Direction="Ascendants")
    assert {each["Arn"] for each in reached["Vertices"]} == {raw, action, GROUP}
    kinds = [each["AssociationType"] for each in call("list_associations", SourceArn=action)["AssociationSummaries"]]
    assert kinds == ["AssociatedWith"]
    call("delete_association", SourceArn=raw, DestinationArn=action)
    assert call("list_associations", SourceArn=raw)["AssociationSummaries"] == []


def test_what_has_associations_is_not_deleted_and_then_it_is(call: Both) -> None:
    raw = create(call)
    call("add_association", SourceArn=raw, DestinationArn=GROUP)
    with pytest.raises(ServiceError, match=r"has associations: delete them with DeleteAssociation"):
        call("delete_artifact", ArtifactArn=raw)
    call("delete_association", SourceArn=raw, DestinationArn=GROUP)
    assert call("delete_artifact", Source={"SourceUri": "s3://b/raw"}) == {"ArtifactArn": raw}
    assert call("list_artifacts")["ArtifactSummaries"] == []


@pytest.mark.parametrize(
    ("operation", "request_", "message"),
    [
        ("add_association", {"SourceArn": GROUP, "DestinationArn": GROUP}, "cannot be associated with itself"),
        ("add_association", {"SourceArn": GROUP, "DestinationArn": "none"}, "There is no lineage entity none"),
        ("delete_association", {"SourceArn": GROUP, "DestinationArn": "none"}, "There is no lineage entity none"),
        ("delete_artifact", {}, "needs either ArtifactArn or Source"),
        ("delete_artifact", {"Source": {"SourceUri": "s3://no"}}, "Artifact s3://no does not exist"),
        ("delete_context", {"ContextName": "g-aws-model-package-group"}, "was made by SageMaker"),
        ("update_context", {"ContextName": "none"}, "Context none does not exist"),
    ],
)
def test_what_cannot_be_written_is_refused(call: Both, operation: str, request_: dict[str, Any], message: str) -> None:
    with pytest.raises(ServiceError, match=message):
        call(operation, **request_)


def test_names_and_associations_are_taken_once(call: Both) -> None:
    asked = {"ContextName": "team", "ContextType": "Team", "Source": {"SourceUri": "u"}}
    call("create_context", **asked)
    with pytest.raises(ServiceError, match="Context team already exists"):
        call("create_context", **asked)
    ends = {"SourceArn": create(call), "DestinationArn": CALLER.arn("context/team")}
    call("add_association", **ends)
    with pytest.raises(ServiceError, match="already exists"):
        call("add_association", **ends)
