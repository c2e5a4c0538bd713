"""Tags of a resource."""

from pathlib import Path

from local_sagemaker.api.tags import TagOperations
from local_sagemaker.state.database import Database
from local_sagemaker.state.records import Records
from local_sagemaker.wire.dispatch import Caller
from local_sagemaker.work.tags import Tags

CALLER = Caller("000000000000", "us-east-1")


def test_tags_are_added_replaced_and_deleted_by_key(tmp_path: Path) -> None:
    tags = Tags(Records(Database(tmp_path / "state.db")))
    operations = TagOperations(tags)
    arn = "arn:aws:sagemaker:us-east-1:000000000000:model/m"
    operations.add_tags({"ResourceArn": arn, "Tags": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]}, CALLER)
    operations.add_tags({"ResourceArn": arn, "Tags": [{"Key": "a", "Value": "3"}]}, CALLER)
    assert tags.of(arn) == [{"Key": "a", "Value": "3"}, {"Key": "b", "Value": "2"}]
    operations.delete_tags({"ResourceArn": arn, "TagKeys": ["a"]}, CALLER)
    assert operations.list_tags({"ResourceArn": arn}, CALLER) == {"Tags": [{"Key": "b", "Value": "2"}]}
    assert tags.of("arn:other") == []
