"""Every call with who makes it: written down, and refused where policies are enforced and do not allow it."""

import json
import threading
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Protocol

from local_sagemaker.errors import ServiceError, invalid
from local_sagemaker.iam.access import Access
from local_sagemaker.iam.dependent_actions import Dependent, Describe, dependents, pipeline_accesses
from local_sagemaker.iam.policy import Decision, Document, Principal, decide
from local_sagemaker.iam.sagemaker_actions import NOTHING, caller_accesses
from local_sagemaker.iam.service_actions import Asked, service_accesses
from local_sagemaker.wire.dispatch import Caller
from local_sagemaker.wire.identity import Identity, role_identity

SERVICE = "sagemaker.amazonaws.com"
SCHEDULER = "scheduler.amazonaws.com"
WHY = {
    Decision.EXPLICIT_DENY: "with an explicit deny in a policy",
    Decision.IMPLICIT_DENY: "because no policy allows the {action} action",
}


class Policies(Protocol):
    """Where the policies of the account are kept."""

    def principal(self, identity: Identity) -> Principal | None:
        """A role or a user with its policies; None where there is none of this name."""

    def trust(self, role: str) -> Document | None:
        """Who may assume a role, by its name; None where there is no such role."""

    def of_resource(self, access: Access) -> Document | None:
        """The policy of the resource that is accessed, where it has one that this machine knows."""


class Guard:
    """Looks at calls before they are answered. `calls` is a file for the record, one JSON document a line."""

    def __init__(self, policies: Policies, calls: Path | None = None, enforces: bool = False) -> None:
        self._policies = policies
        self._calls = calls
        self.enforces = enforces
        self._written: set[str] = set()
        self._lock = threading.Lock()

    @property
    def watches(self) -> bool:
        """Whether calls are looked at at all."""
        return self.enforces or self._calls is not None

    def operation(self, operation: str, request: Mapping[str, Any], caller: Caller, describe: Describe) -> None:
        """An operation of SageMaker; ServiceError where the caller, or the role that it names, may not."""
        if not self.watches:
            return
        own = caller_accesses(operation, request, caller.arn)
        also = list(dependents(operation, request, caller.arn, describe))
        if caller.identity.in_pipeline and own[0].resource != NOTHING:
            also += [Dependent(None, access) for access in pipeline_accesses(operation, own[0].resource)]
        if self.enforces:
            for role in dict.fromkeys(each.role for each in also if each.role is not None):
                if not self._may_assume(role, caller, SERVICE):
                    raise invalid(
                        f"Could not assume role {role}. Please ensure that the role exists and allows principal "
                        f"'{SERVICE}' to assume the role."
                    )
        self._look(operation, own, caller.identity, caller, "AccessDeniedException", 400)
        for each in also:
            who = caller.identity if each.role is None else role_identity(each.role)
            self._look(operation, [each.access], who, caller, "AccessDeniedException", 400)

    def request(self, service: str, asked: Asked, caller: Caller) -> None:
        """A request to another service; ServiceError where the caller may not."""
        if self.watches:
            needed = service_accesses(service, asked, caller.account, caller.region)
            name = asked.action or f"{asked.method} {service}"
            self._look(name, needed, caller.identity, caller, "AccessDenied", 403)

    def of_role(self, operation: str, role: str, access: Access, region: str) -> None:
        """What a role does later for a call that was allowed; ServiceError where the role, by its ARN, may not."""
        if self.watches:
            who = role_identity(role)
            self._look(operation, [access], who, Caller(role.split(":")[4], region, who), "AccessDeniedException", 400)

    def may_invoke(self, function: str, caller: Caller) -> None:
        """ServiceError where the caller may not call a function of Lambda, by its ARN."""
        self.request("lambda", Asked("POST", "/", "", "InvokeFunction", {"FunctionName": function}), caller)

    def require_scheduler(self, role: str, caller: Caller) -> None:
        """ServiceError where policies are enforced and EventBridge Scheduler may not assume a role."""
        if self.enforces and not self._may_assume(role, caller, SCHEDULER):
            raise invalid(
                f"The execution role you provide must allow AWS EventBridge Scheduler to assume the role: {role} does "
                f"not exist, or does not trust {SCHEDULER}."
            )

    def _look(
        self, operation: str, needed: Iterable[Access], identity: Identity, caller: Caller, code: str, status: int
    ) -> None:
        for access in needed:
            try:
                if self.enforces and identity.kind != "administrator":
                    self._require(access, identity, caller, code, status)
            except ServiceError:
                self._note(operation, access, identity, denied=True)
                raise
            self._note(operation, access, identity)

    def _note(self, operation: str, access: Access, identity: Identity, *, denied: bool = False) -> None:
        if self._calls is None:
            return
        document = {"identity": identity.name if identity.kind != "administrator" else "administrator"}
        outcome = {"denied": True} if denied else {}
        line = json.dumps({**document, "operation": operation, **access.document(), **outcome})
        with self._lock:
            if line not in self._written:
                self._written.add(line)
                with self._calls.open("a", encoding="utf-8") as stream:
                    stream.write(f"{line}\n")

    def _require(self, access: Access, identity: Identity, caller: Caller, code: str, status: int) -> None:
        principal = self._policies.principal(identity)
        if principal is None:
            message = f"The {identity.kind} {identity.name} does not exist in IAM here: create it, or use another."
            raise ServiceError("InvalidClientTokenId", message, 403)
        known = replace(access, context={**_globals(identity, principal, caller), **access.context})
        decision = decide(known, principal, self._policies.of_resource(access))
        if decision is Decision.ALLOWED:
            return
        why = WHY[decision].format(action=access.action)
        needed = f" ({access.reason})" if access.reason else ""
        raise ServiceError(
            code,
            f"User: {identity.arn(caller.account)} is not authorized to perform: {access.action} "
            f"on resource: {access.resource} {why}{needed}",
            status,
        )

    def _may_assume(self, role: str, caller: Caller, service: str) -> bool:
        trust = self._policies.trust(role.rpartition("/")[2])
        wanted = Access("sts:AssumeRole", role, {"aws:SourceAccount": (caller.account,)})
        return trust is not None and decide(wanted, Principal(service), trust) is Decision.ALLOWED


def _globals(identity: Identity, principal: Principal, caller: Caller) -> dict[str, tuple[str, ...]]:
    """The keys of every request: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html

    On AWS the clients speak TLS; here nothing leaves the machine.
    """
    context: dict[str, tuple[str, ...]] = {
        "aws:PrincipalArn": (principal.arn,),
        "aws:PrincipalAccount": (caller.account,),
        "aws:userid": (identity.user_context(caller.account)["IamIdentity"]["PrincipalId"],),
        "aws:RequestedRegion": (caller.region,),
        "aws:SecureTransport": ("true",),
        "aws:SourceIp": ("127.0.0.1",),
        "aws:CurrentTime": (datetime.now(timezone.utc).isoformat(),),
    }
    return context | ({"aws:username": (identity.name,)} if identity.kind == "user" else {})
