"""Who calls: the account's administrator, a role in a session, or a user."""

import getpass
import re
from dataclasses import dataclass
from typing import Literal

ACCOUNT = "000000000000"
EXECUTION_ROLE = "AmazonSageMaker-ExecutionRole"
ADMINISTRATOR_KEY = "local"
# An access key that says by itself which role it is of: `local:ROLE:SESSION`. Neither name can hold a colon.
ROLE_KEY = re.compile(r"local:(?P<role>[\w+=,.@-]{1,64}):(?P<session>[\w+=,.@-]{1,64})")
SERVICE_SESSION = "SageMaker"


@dataclass(frozen=True)
class Identity:
    """Who signs a request. The administrator may do everything, also where policies are enforced.

    `in_pipeline` tells what a pipeline does with its role from what the role's code does.
    """

    kind: Literal["administrator", "role", "user"] = "administrator"
    name: str = EXECUTION_ROLE
    session: str = ""
    in_pipeline: bool = False

    def arn(self, account: str) -> str:
        """As GetCallerIdentity and CreatedBy say it; the administrator has the account's execution role."""
        if self.kind == "user":
            return f"arn:aws:iam::{account}:user/{self.name}"
        return f"arn:aws:sts::{account}:assumed-role/{self.name}/{self.session or session_name()}"

    def user_context(self, account: str) -> dict[str, dict[str, str]]:
        """The shape UserContext of CreatedBy and LastModifiedBy."""
        principal = f"AIDALOCAL{self.name}" if self.kind == "user" else "AROALOCALSAGEMAKER0"
        principal = principal if self.kind == "user" else f"{principal}:{self.session or session_name()}"
        return {"IamIdentity": {"Arn": self.arn(account), "PrincipalId": principal}}


ADMINISTRATOR = Identity()


def role_identity(role_arn: str, session: str = SERVICE_SESSION, *, in_pipeline: bool = False) -> Identity:
    """A role, by its ARN or its name, in a session."""
    return Identity("role", role_arn.rpartition("/")[2], session, in_pipeline)


def identity_of_key(key: str) -> Identity | None:
    """Who an access key is of, where the key itself says it."""
    found = ROLE_KEY.fullmatch(key)
    if found:
        return Identity("role", found["role"], found["session"])
    return ADMINISTRATOR if key == ADMINISTRATOR_KEY else None


def role_key(role: str, session: str) -> str:
    """The access key of a role, by its ARN or its name, in a session."""
    return f"local:{role.rpartition('/')[2]}:{session}"


def session_name() -> str:
    """The user of this machine, as the name of a session."""
    return re.sub(r"[^\w+=,.@-]", "-", _user())[:64]


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in some containers
        return "local"
