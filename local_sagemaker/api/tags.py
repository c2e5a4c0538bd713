"""The operations about tags."""

from local_sagemaker.wire.dispatch import Caller, Request
from local_sagemaker.work.tags import Tags


class TagOperations:
    """AddTags, ListTags, DeleteTags."""

    def __init__(self, tags: Tags) -> None:
        self._tags = tags

    def add_tags(self, request: Request, caller: Caller) -> Request:
        """Add or replace tags."""
        return {"Tags": self._tags.add(request["ResourceArn"], request["Tags"])}

    def list_tags(self, request: Request, caller: Caller) -> Request:
        """All tags of a resource, on one page."""
        return {"Tags": self._tags.of(request["ResourceArn"])}

    def delete_tags(self, request: Request, caller: Caller) -> Request:
        """Remove tags by key."""
        self._tags.remove(request["ResourceArn"], request["TagKeys"])
        return {}
