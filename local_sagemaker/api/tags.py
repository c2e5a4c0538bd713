"""Tags of any resource, by its ARN."""

from local_sagemaker.api.dispatch import Caller, Request
from local_sagemaker.state.records import Records


class Tags:
    """AddTags, ListTags, DeleteTags."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def add_tags(self, request: Request, caller: Caller) -> Request:
        """Add or replace tags."""
        arn = request["ResourceArn"]
        with self._records.lock:
            tags = {tag["Key"]: tag for tag in self.of(arn)} | {tag["Key"]: tag for tag in request["Tags"]}
            self._records.put("tags", arn, {"Tags": list(tags.values())})
        return {"Tags": list(tags.values())}

    def list_tags(self, request: Request, caller: Caller) -> Request:
        """All tags of a resource, on one page."""
        return {"Tags": self.of(request["ResourceArn"])}

    def delete_tags(self, request: Request, caller: Caller) -> Request:
        """Remove tags by key."""
        arn = request["ResourceArn"]
        with self._records.lock:
            kept = [tag for tag in self.of(arn) if tag["Key"] not in request["TagKeys"]]
            self._records.put("tags", arn, {"Tags": kept})
        return {}

    def of(self, arn: str) -> list[dict[str, str]]:
        """The tags of a resource."""
        document = self._records.get("tags", arn)
        return document["Tags"] if document else []
