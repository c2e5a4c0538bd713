"""One thing that somebody wants to do, as IAM sees it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Context = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Access:
    """An action such as s3:GetObject on the ARN of a resource, `*` where the action knows none.

    `context` holds the request's condition keys with their values; a key that is not there is absent in AWS, too.
    `reason` says why a call needs this one, where it is not the call's own action.
    """

    action: str
    resource: str
    context: Context = field(default_factory=dict)
    reason: str = ""

    def document(self) -> dict[str, Any]:
        """The access as data; context in one order."""
        context = {key: list(values) for key, values in sorted(self.context.items())}
        document: dict[str, Any] = {"action": self.action, "resource": self.resource}
        return document | ({"context": context} if context else {}) | ({"reason": self.reason} if self.reason else {})


def access_of(document: Mapping[str, Any]) -> Access:
    """The reverse of `Access.document`."""
    context = {key: tuple(values) for key, values in document.get("context", {}).items()}
    return Access(document["action"], document["resource"], context, document.get("reason", ""))
