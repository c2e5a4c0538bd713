"""Tags of a resource."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.api.model_cards import ModelCards
from local_sagemaker.api.resources import Resources
from local_sagemaker.api.tags import TagOperations
from local_sagemaker.errors import ServiceError
from local_sagemaker.lineage.graph import lineage
from local_sagemaker.state.database import Database
from local_sagemaker.state.record_kinds import MODEL
from local_sagemaker.state.records import Records
from local_sagemaker.wire.dispatch import Caller
from local_sagemaker.work.tags import Tags

CALLER = Caller("000000000000", "us-east-1")
PLACE = "arn:aws:sagemaker:us-east-1:000000000000"
MINE = f"{PLACE}:model/m"


@pytest.fixture(name="records")
def records_fixture(tmp_path: Path) -> Iterator[Records]:
    database = Database(tmp_path / "state.db")
    yield Records(database)
    database.close()


@pytest.fixture(name="tags")
def tags_fixture(records: Records) -> TagOperations:
    return TagOperations(Tags(records), records, lambda: lineage(records))


def tag(**values: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in values.items()]


def create_model(records: Records, **values: str) -> None:
    Resources(records, Tags(records)).create(MODEL, {"ModelName": "m", "Tags": tag(**values)}, CALLER)


def listed(tags: TagOperations, arn: str = MINE) -> Any:
    return tags.list_tags({"ResourceArn": arn}, CALLER)["Tags"]


def test_tags_are_added_replaced_and_deleted_by_key(records: Records, tags: TagOperations) -> None:
    create_model(records)
    tags.add_tags({"ResourceArn": MINE, "Tags": tag(a="1", b="2")}, CALLER)
    tags.add_tags({"ResourceArn": MINE, "Tags": tag(a="3")}, CALLER)
    assert listed(tags) == tag(a="3", b="2")
    tags.delete_tags({"ResourceArn": MINE, "TagKeys": ["a"]}, CALLER)
    assert listed(tags) == tag(b="2")


def test_a_new_resource_has_none_of_the_tags_of_an_earlier_one(records: Records, tags: TagOperations) -> None:
    create_model(records, old="1")
    Resources(records, Tags(records)).delete(MODEL, "m", CALLER)
    create_model(records, new="2")
    assert listed(tags) == tag(new="2")


def test_what_does_not_exist_has_no_tags(records: Records, tags: TagOperations) -> None:
    ModelCards(records, Tags(records)).create_model_card(
        {"ModelCardName": "houses", "Content": "{}", "ModelCardStatus": "Draft", "Tags": tag(a="1")}, CALLER
    )
    assert listed(tags, f"{PLACE}:model-card/houses") == tag(a="1")
    for missing in (
        "model/m",
        "model-card/house",
        "pipeline/p",
        "endpoint/e",
        "artifact/a",
        "project/p",
        "experiment/e",
    ):
        arn = f"{PLACE}:{missing}"
        for call in (
            lambda arn=arn: tags.list_tags({"ResourceArn": arn}, CALLER),
            lambda arn=arn: tags.add_tags({"ResourceArn": arn, "Tags": tag(a="1")}, CALLER),
            lambda arn=arn: tags.delete_tags({"ResourceArn": arn, "TagKeys": ["a"]}, CALLER),
        ):
            with pytest.raises(ServiceError, match="Could not find the resource") as refused:
                call()
            assert refused.value.code == "ValidationException"
