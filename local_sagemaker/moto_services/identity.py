"""What a client is told of who it is, and of what it may do: nothing is forbidden.

Local SageMaker enforces no IAM policy. So a client that asks beforehand (the SageMaker SDK does, by
GetCallerIdentity, SimulatePrincipalPolicy and GetRole, before each job) is told what holds here: it may.
"""

import json
from typing import Any

from local_sagemaker.moto_services.patches import put
from local_sagemaker.wire.identity import EXECUTION_ROLE, user_context

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def install(account: str) -> None:
    """Give moto's IAM and STS these answers; importing them takes a second, so this waits for the first request."""
    from moto.core.responses import ActionResult
    from moto.iam.models import IAMBackend
    from moto.iam.responses import IamResponse
    from moto.sts.models import STSBackend

    if hasattr(IamResponse, "simulate_principal_policy"):
        return
    moto_identity = STSBackend.get_caller_identity
    moto_role = IAMBackend.get_role

    def get_caller_identity(self: STSBackend, access_key_id: str, region: str) -> tuple[str, str, str]:
        user_id, arn, owner = moto_identity(self, access_key_id, region)
        if not arn.endswith(":user/moto"):  # of a role that was assumed, or a user that was created here
            return user_id, arn, owner
        identity = user_context(account)["IamIdentity"]
        return identity["PrincipalId"], identity["Arn"], account

    def get_role(self: IAMBackend, role_name: str) -> Any:
        if role_name == EXECUTION_ROLE:
            _ensure_role(self, f"arn:aws:iam::{account}:role/{EXECUTION_ROLE}")
        return moto_role(self, role_name)

    def simulate_principal_policy(self: IamResponse) -> ActionResult:
        principal = str(self._get_param("PolicySourceArn"))
        if ":role/" in principal:  # jobs take any role; one that a client names exists in that client's account
            _ensure_role(self.backend, principal)
        results = [
            {"EvalActionName": action, "EvalResourceName": resource, "EvalDecision": "allowed"}
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


def _ensure_role(backend: Any, arn: str) -> None:
    """Create a role that SageMaker may assume, unless there is one of this name."""
    path, _, name = arn.partition(":role/")[2].rpartition("/")
    if all(role.name != name for role in backend.get_roles()):
        backend.create_role(name, json.dumps(TRUST), f"/{path}/" if path else "/", None, "", [], "3600")
