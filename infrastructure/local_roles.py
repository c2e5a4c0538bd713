"""The roles of roles.yaml in the IAM of local SageMaker, so that who may do what can be tried without an account."""

import json
from collections.abc import Iterable
from typing import Any

from infrastructure.roles import Role


def put_roles(iam: Any, wanted: Iterable[Role]) -> None:
    """Make each role, or bring one that is there to its template: trust and policies, and no other policy."""
    for role in wanted:
        trust = json.dumps(role.trust)
        try:
            iam.create_role(RoleName=role.name, AssumeRolePolicyDocument=trust)
        except iam.exceptions.EntityAlreadyExistsException:
            iam.update_assume_role_policy(RoleName=role.name, PolicyDocument=trust)
        documents = {f"policy-{number}": policy for number, policy in enumerate(role.principal.policies)}
        for name in set(iam.list_role_policies(RoleName=role.name)["PolicyNames"]) - documents.keys():
            iam.delete_role_policy(RoleName=role.name, PolicyName=name)
        for name, policy in documents.items():
            iam.put_role_policy(RoleName=role.name, PolicyName=name, PolicyDocument=json.dumps(policy))


def is_there(iam: Any, role: str) -> bool:
    """Whether there is a role of this name."""
    try:
        iam.get_role(RoleName=role)
    except iam.exceptions.NoSuchEntityException:
        return False
    return True
