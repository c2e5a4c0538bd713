"""Tags of any resource, by its ARN."""

from collections.abc import Iterable

from local_sagemaker.state.record_kinds import TAGS
from local_sagemaker.state.record_types import TagsRecord
from local_sagemaker.state.records import Records

Tag = dict[str, str]


class Tags:
    """The tags that there are."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def of(self, arn: str) -> list[Tag]:
        """The tags of a resource."""
        document = self._records.get(TAGS, arn)
        return document["Tags"] if document else []

    def set(self, arn: str, tags: Iterable[Tag]) -> None:
        """The tags of a new resource, whatever one of the same name had."""
        self._records.put(TAGS, arn, TagsRecord(Tags=list({tag["Key"]: tag for tag in tags}.values())))

    def add(self, arn: str, new: Iterable[Tag]) -> list[Tag]:
        """Add or replace tags; all that the resource has then."""
        with self._records.lock:
            tags = {tag["Key"]: tag for tag in self.of(arn)} | {tag["Key"]: tag for tag in new}
            self._records.put(TAGS, arn, TagsRecord(Tags=list(tags.values())))
        return list(tags.values())

    def remove(self, arn: str, keys: Iterable[str]) -> None:
        """Remove tags by key."""
        gone = set(keys)
        with self._records.lock:
            kept = [tag for tag in self.of(arn) if tag["Key"] not in gone]
            self._records.put(TAGS, arn, TagsRecord(Tags=kept))
