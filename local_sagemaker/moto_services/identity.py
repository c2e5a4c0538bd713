"""Who a client is, and what IAM has of it: roles, users and their policies, which moto keeps.

Where no policy is enforced, a client that asks beforehand what it may do (the SageMaker SDK does, by
GetCallerIdentity, SimulatePrincipalPolicy and GetRole, before each job) is told what holds then: it may.
"""

import json
from contextvars import ContextVar
from typing import Any

from local_sagemaker.errors import unsupported
from local_sagemaker.iam.access import Access
from local_sagemaker.iam.policy import Decision, Document, Principal, decide
from local_sagemaker.moto_services.patches import put
from local_sagemaker.wire.identity import ADMINISTRATOR, EXECUTION_ROLE, Identity, identity_of_key

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
AMAZON = "aws"  # the partition
CALLER: ContextVar[Identity] = ContextVar("CALLER", default=ADMINISTRATOR)  # of the request that this thread answers


def identity_of(key: str, account: str) -> Identity | None:
    """Who an access key is of: the administrator, a role that was assumed, a user; None where nobody has it."""
    known = identity_of_key(key)
    if known is not None:
        return known
    from moto.iam.models import iam_backends
    from moto.sts.models import sts_backends

    assumed = sts_backends[account][AMAZON].get_assumed_role_from_access_key(key)
    if assumed is not None:
        if assumed.policy:
            raise unsupported("session policies (Policy of AssumeRole)")
        return Identity("role", assumed.role_arn.rpartition("/")[2], assumed.session_name)
    user = next(
        (
            user
            for user in iam_backends[account][AMAZON].users.values()
            if any(owned.access_key_id == key for owned in user.access_keys)
        ),
        None,
    )
    return Identity("user", user.name) if user is not None else None


class MotoPolicies:
    """The policies of an account: local_sagemaker.iam.guard.Policies."""

    def __init__(self, account: str) -> None:
        self._account = account

    def principal(self, identity: Identity) -> Principal | None:
        """A role or a user with what is attached to it; None where there is none of this name."""
        found = self._role(identity.name) if identity.kind == "role" else self._iam().users.get(identity.name)
        if found is None:
            return None
        holders = [found, *self._groups(identity)]
        inline = [_parsed(text) for holder in holders for text in holder.policies.values()]
        managed = [_parsed(policy.document) for holder in holders for policy in holder.managed_policies.values()]
        boundary = self._boundary(found.permissions_boundary_arn) if identity.kind == "role" else None
        return Principal(str(found.arn), (*inline, *managed), boundary)

    def trust(self, role: str) -> Document | None:
        """Who may assume a role."""
        found = self._role(role)
        return _parsed(found.assume_role_policy_document) if found is not None else None

    def of_resource(self, access: Access) -> Document | None:
        """A bucket's policy, a key's, or who may assume a role."""
        service, _, kind = access.action.partition(":")
        if service == "s3":
            return self._bucket_policy(access.resource.removeprefix("arn:aws:s3:::").partition("/")[0])
        if service == "kms":
            return self._key_policy(access.resource)
        return self.trust(access.resource.rpartition("/")[2]) if kind == "AssumeRole" else None

    def _iam(self) -> Any:
        from moto.iam.models import iam_backends

        return iam_backends[self._account][AMAZON]

    def _role(self, name: str) -> Any:
        return next((role for role in self._iam().roles.values() if role.name == name), None)

    def _groups(self, identity: Identity) -> list[Any]:
        if identity.kind != "user":
            return []
        return [group for group in self._iam().groups.values() if identity.name in [user.name for user in group.users]]

    def _boundary(self, arn: str | None) -> Document | None:
        return _parsed(self._iam().managed_policies[arn].document) if arn else None

    def _bucket_policy(self, name: str) -> Document | None:
        from moto.s3.models import s3_backends

        bucket = s3_backends[self._account][AMAZON].buckets.get(name)
        return _parsed(bucket.policy) if bucket is not None and bucket.policy else None

    def _key_policy(self, arn: str) -> Document | None:
        from moto.kms.models import kms_backends

        region, key_id = arn.split(":")[3], arn.rpartition("/")[2]
        key = kms_backends[self._account][region].keys.get(key_id) if region else None
        return _parsed(key.policy) if key is not None else None


def _parsed(document: Any) -> Document:
    parsed: Document = document if isinstance(document, dict) else json.loads(document)
    return parsed


def install(account: str, enforces: bool) -> None:
    """Give moto's IAM and STS these answers; importing them takes a second, so this waits for the first request."""
    from moto.core.responses import ActionResult
    from moto.iam.models import IAMBackend
    from moto.iam.responses import IamResponse
    from moto.sts.models import STSBackend

    if hasattr(IamResponse, "simulate_principal_policy"):
        return
    moto_identity = STSBackend.get_caller_identity
    moto_role = IAMBackend.get_role
    policies = MotoPolicies(account)

    def get_caller_identity(self: STSBackend, access_key_id: str, region: str) -> tuple[str, str, str]:
        user_id, arn, owner = moto_identity(self, access_key_id, region)
        if not arn.endswith(":user/moto"):  # of a role that was assumed, or a user that was created here
            return user_id, arn, owner
        identity = CALLER.get().user_context(account)["IamIdentity"]  # moto knows keys of AWS's own form only
        return identity["PrincipalId"], identity["Arn"], account

    def get_role(self: IAMBackend, role_name: str) -> Any:
        if role_name == EXECUTION_ROLE and not enforces:
            _ensure_role(self, f"arn:aws:iam::{account}:role/{EXECUTION_ROLE}")
        return moto_role(self, role_name)

    def simulate_principal_policy(self: IamResponse) -> ActionResult:
        principal = str(self._get_param("PolicySourceArn"))
        if ":role/" in principal and not enforces:
            # Jobs take any role; one that a client names exists in that client's account.
            _ensure_role(self.backend, principal)
        results = [
            {
                "EvalActionName": action,
                "EvalResourceName": resource,
                "EvalDecision": _simulated(policies, principal, action, resource) if enforces else "allowed",
            }
            for action in self._get_param("ActionNames")
            for resource in self._get_param("ResourceArns") or ["*"]
        ]
        return ActionResult({"EvaluationResults": results, "IsTruncated": False})

    for owner, function in (
        (STSBackend, get_caller_identity),
        (IAMBackend, get_role),
        (IamResponse, simulate_principal_policy),
    ):
        put(owner, function.__name__, function)


def _simulated(policies: MotoPolicies, arn: str, action: str, resource: str) -> str:
    kind, _, name = arn.rpartition(":")[2].partition("/")
    principal = policies.principal(Identity("user" if kind == "user" else "role", name.rpartition("/")[2]))
    decision = decide(Access(action, resource), principal) if principal else Decision.IMPLICIT_DENY
    return decision.value


def _ensure_role(backend: Any, arn: str) -> None:
    """Create a role that SageMaker may assume, unless there is one of this name."""
    path, _, name = arn.partition(":role/")[2].rpartition("/")
    if all(role.name != name for role in backend.get_roles()):
        backend.create_role(name, json.dumps(TRUST), f"/{path}/" if path else "/", None, "", [], "3600")
