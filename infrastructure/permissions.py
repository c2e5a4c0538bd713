"""What the roles of roles.yaml lack: for the steps of a definition, and for what each role was recorded doing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from infrastructure.calls import calls
from infrastructure.roles import Account, Role, role_arn
from local_sagemaker.iam.access import Access
from local_sagemaker.iam.dependent_actions import LOG_GROUPS, pipeline_accesses, role_accesses
from local_sagemaker.iam.policy import Decision, decide, statements
from local_sagemaker.iam.sagemaker_actions import caller_accesses

PIPELINE_ROLE = "ExecutionRole"
NAMES = {"Processing": "ProcessingJobName", "Training": "TrainingJobName", "Transform": "TransformJobName"}
PASSED = {"iam:PassedToService": ("sagemaker.amazonaws.com",)}


@dataclass(frozen=True)
class Lack:
    """An access that a role needs and does not have, and the operations that need it."""

    role: Role
    access: Access
    needed_by: str


def lacks_of_roles(account: Account, known: Mapping[str, Role]) -> Iterator[Lack]:
    """What was recorded of each of the `known` roles, and its policies do not allow (any more)."""
    for call in calls(account):
        role = known.get(f"{account.project}-{account.stage}-{call.role}")
        if role is not None and not _allows(role, call.access):
            yield Lack(role, call.access, ", ".join(call.operations))


def lacks_of_step(operation: str, arguments: Mapping[str, Any], role: Role, account: Account) -> Iterator[Lack]:
    """What the pipeline's role needs for a step, whose arguments are those of an operation, and does not have.

    Objects outside of the project's prefix are left to the check of locations.
    """
    own = (f"arn:aws:s3:::{account.bucket}/{account.project}/", f"arn:aws:s3:::{account.bucket}")
    for access in step_accesses(operation, arguments, role, account):
        elsewhere = access.action.startswith("s3:") and not (
            access.resource.startswith(own[0]) or access.resource == own[1]
        )
        if not elsewhere and not _allows(role, access):
            yield Lack(role, access, operation)


def pipeline_role(known: Mapping[str, Role]) -> Role:
    """The role that the pipelines and their jobs have."""
    return next(role for role in known.values() if role.logical_id == PIPELINE_ROLE)


def step_accesses(operation: str, arguments: Mapping[str, Any], role: Role, account: Account) -> list[Access]:
    """Everything that the pipeline's role, and the job with it, do for a step."""

    def arn(resource: str) -> str:
        return f"arn:aws:sagemaker:{account.region}:{account.account}:{resource}"

    kind = operation.removeprefix("Create").removesuffix("Job")
    # As the service names what a pipeline makes; a tuning job's name has no room for the prefix.
    name = (
        {"HyperParameterTuningJobName": "x-tuning"}
        if kind == "HyperParameterTuning"
        else {NAMES.get(kind, ""): "pipelines-x"}
    )
    needed = caller_accesses(operation, {**arguments, **name}, arn)
    needed += pipeline_accesses(operation, needed[0].resource)
    if operation in LOG_GROUPS:
        needed.append(Access("iam:PassRole", role_arn(account, role.name), PASSED, "the pipeline gives it to its jobs"))
        needed += role_accesses(operation, arguments, arn, lambda *_: {})
    return _different(needed)


def unused(account: Account, known: Mapping[str, Role]) -> dict[str, set[str]]:
    """By the kind of each role, the actions that it is allowed and that were never recorded of it."""
    recorded: dict[str, set[str]] = {}
    for call in calls(account):
        recorded.setdefault(call.role, set()).add(call.access.action)
    found = {}
    for name, role in known.items():
        kind = name.removeprefix(f"{account.project}-{account.stage}-")
        allowed = {
            action
            for policy in role.principal.policies
            for statement in statements(policy)
            if statement["Effect"] == "Allow"
            for action in _listed(statement["Action"])
        }
        found[kind] = allowed - recorded.get(kind, set())
    return found


def _listed(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]


def _allows(role: Role, access: Access) -> bool:
    return decide(access, role.principal) is Decision.ALLOWED


def _different(accesses: list[Access]) -> list[Access]:
    return list({(access.action, access.resource): access for access in accesses}.values())
