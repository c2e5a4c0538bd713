"""Policies, and whether they allow something.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html: whatever denies goes before
whatever allows, and what nothing allows is denied.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from local_sagemaker.errors import LocalSageMakerError
from local_sagemaker.iam.access import Access, Context
from local_sagemaker.iam.conditions import hold
from local_sagemaker.iam.patterns import matches

Document = Mapping[str, Any]
VARIABLES_SINCE = "2012-10-17"  # in documents of the older version, ${...} is text
NEEDED_OF_RESOURCE = ("kms:", "sts:AssumeRole")  # the resource's own policy must let these in


class Decision(Enum):
    """What IAM decides, in the words of SimulatePrincipalPolicy."""

    ALLOWED = "allowed"
    EXPLICIT_DENY = "explicitDeny"
    IMPLICIT_DENY = "implicitDeny"


@dataclass(frozen=True)
class Principal:
    """Who asks. `arn` is that of a role, a user or, as in Principal elements, a service such as a.amazonaws.com.

    `policies` are attached to it; a `boundary` allows nothing by itself, and what it does not allow is denied.
    """

    arn: str
    policies: tuple[Document, ...] = ()
    boundary: Document | None = None

    @property
    def account(self) -> str:
        """The account of a role or user; empty for a service."""
        return self.arn.split(":")[4] if self.arn.startswith("arn:") else ""


def decide(access: Access, principal: Principal, resource_policy: Document | None = None) -> Decision:
    """Whether a principal may do something to a resource of its own account.

    `resource_policy` is the resource's: a bucket's, a key's, a role's trust. It may allow by itself; where it must let
    in (keys, roles), it may also leave it to the account's own policies by naming the account.
    """
    by_itself = _effects(principal.policies, access)
    by_resource = _resource_effects(resource_policy, access, principal)
    by_boundary = ["Allow"] if principal.boundary is None else _effects([principal.boundary], access)
    if "Deny" in (*by_itself, *by_resource, *by_boundary):
        return Decision.EXPLICIT_DENY
    own = "Allow" in by_itself and "Allow" in by_boundary
    if access.action.startswith(NEEDED_OF_RESOURCE) and resource_policy is not None:
        own = own and "Delegate" in by_resource
    return Decision.ALLOWED if own or "Allow" in by_resource else Decision.IMPLICIT_DENY


def statements(document: Document) -> list[Mapping[str, Any]]:
    """The statements of a policy, which may be one alone."""
    found = document.get("Statement", [])
    return found if isinstance(found, list) else [found]


def covers(statement: Mapping[str, Any], access: Access, version: str = VARIABLES_SINCE) -> bool:
    """Whether a statement speaks of an access, by its action, its resource and its conditions."""
    context: Context | None = access.context if version == VARIABLES_SINCE else None
    return (
        _named(statement, "Action", lambda pattern: matches(access.action, pattern, ignore_case=True), missing=False)
        and _named(statement, "Resource", lambda pattern: matches(access.resource, pattern, context), missing=True)
        and hold(statement.get("Condition", {}), access.context)
    )


def _effects(policies: Iterable[Document], access: Access) -> list[str]:
    return [
        str(statement["Effect"])
        for document in policies
        for statement in statements(document)
        if covers(statement, access, str(document.get("Version", "")))
    ]


def _resource_effects(document: Document | None, access: Access, principal: Principal) -> list[str]:
    """As `_effects`, of a resource's policy; "Delegate" where it allows the principal's whole account."""
    if document is None:
        return []
    effects = []
    for statement in statements(document):
        named = _principal(statement, principal)
        if named and covers(statement, access, str(document.get("Version", ""))):
            effects.append("Delegate" if named == "account" and statement["Effect"] == "Allow" else statement["Effect"])
    return effects


def _principal(statement: Mapping[str, Any], principal: Principal) -> str | None:
    """How a statement names a principal: by itself, by its "account", or not at all."""
    if "NotPrincipal" in statement:
        return None if _names(statement["NotPrincipal"], principal) else "itself"
    return _names(statement.get("Principal", {}), principal)


def _names(element: Any, principal: Principal) -> str | None:
    if element == "*":
        return "itself"
    named = [str(name) for kind in dict(element).values() for name in (kind if isinstance(kind, list) else [kind])]
    if "*" in named or principal.arn in named:
        return "itself"
    account = principal.account
    return "account" if account and {account, f"arn:aws:iam::{account}:root"} & set(named) else None


def _named(statement: Mapping[str, Any], element: str, matching: Any, *, missing: bool) -> bool:
    """Whether an element, or its Not..., names something; `missing` where the statement has neither."""
    if element in statement:
        return any(matching(pattern) for pattern in _listed(statement[element]))
    if f"Not{element}" in statement:
        return not any(matching(pattern) for pattern in _listed(statement[f"Not{element}"]))
    if not missing:
        raise LocalSageMakerError(f"A policy's statement has neither {element} nor Not{element}: {dict(statement)}.")
    return True


def _listed(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]
