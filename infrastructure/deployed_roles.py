"""A role as it stands in an account, compared with the template's; and whom a policy names. Pure."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infrastructure.roles import Role
from local_sagemaker.iam.policy import statements

LONGEST_LIST = 3  # actions that a sentence names


@dataclass(frozen=True)
class Deployed:
    """A role of an account: who may assume it, and the documents of all its policies."""

    name: str
    trust: Mapping[str, Any]
    policies: tuple[Mapping[str, Any], ...]


def differences(deployed: Deployed, role: Role) -> Iterator[str]:
    """What the deployed role lacks, has more, or has under other conditions, for other resources or other people."""
    here, there = _allowed(role.principal.policies), _allowed(deployed.policies)
    lacks, more = sorted(set(here) - set(there)), sorted(set(there) - set(here))
    if lacks:
        yield f"lacks {_some(lacks)} of roles.yaml"
    if more:
        yield f"may do {_some(more)}, which roles.yaml does not say"
    other = sorted(action for action in set(here) & set(there) if here[action] != there[action])
    if other:
        yield f"has other resources or conditions than roles.yaml for {_some(other)}"
    if _assumers(deployed.trust) != _assumers(role.trust):
        yield "is assumed by others, or under other conditions, than roles.yaml says"


def trusts(document: Mapping[str, Any], *names: str) -> bool:
    """Whether a statement of a trust or key policy allows a principal of one of these names."""
    for statement in statements(document):
        if statement["Effect"] != "Allow":
            continue
        principal = statement.get("Principal", {})
        groups = principal.values() if isinstance(principal, Mapping) else [principal]
        if any(name in _listed(group) for group in groups for name in names):
            return True
    return False


def _allowed(policies: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """By action, in what form each statement speaks of it."""
    found: dict[str, list[str]] = {}
    for policy in policies:
        for statement in statements(policy):
            resources = sorted(_listed(statement.get("Resource", [])))
            form = json.dumps([statement["Effect"], resources, _sorted(statement.get("Condition", {}))], sort_keys=True)
            for action in _listed(statement.get("Action", [])):
                found.setdefault(action, []).append(form)
    return {action: sorted(forms) for action, forms in found.items()}


def _assumers(document: Mapping[str, Any]) -> list[str]:
    """In what form each statement of a trust policy speaks of somebody."""
    found = []
    for statement in statements(document):
        principal = statement.get("Principal", {})
        if isinstance(principal, Mapping):
            principal = {kind: sorted(_listed(names)) for kind, names in principal.items()}
        actions, condition = sorted(_listed(statement["Action"])), _sorted(statement.get("Condition", {}))
        found.append(json.dumps([statement["Effect"], principal, actions, condition], sort_keys=True))
    return sorted(found)


def _sorted(condition: Mapping[str, Any]) -> dict[str, dict[str, list[str]]]:
    return {test: {key: sorted(_listed(value)) for key, value in keys.items()} for test, keys in condition.items()}


def _listed(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]


def _some(actions: Sequence[str]) -> str:
    more = len(actions) - LONGEST_LIST
    return ", ".join(actions[:LONGEST_LIST]) + (f" and {more} more" if more > 0 else "")
