"""Who calls: every caller has the account's execution role."""

import getpass
import re

ACCOUNT = "000000000000"
EXECUTION_ROLE = "AmazonSageMaker-ExecutionRole"


def user_context(account: str) -> dict[str, dict[str, str]]:
    """Who makes and changes things here: the execution role, in a session named after the user of this machine.

    The shape is UserContext of CreatedBy and LastModifiedBy.
    """
    session = re.sub(r"[^\w+=,.@-]", "-", _user())[:64]
    arn = f"arn:aws:sts::{account}:assumed-role/{EXECUTION_ROLE}/{session}"
    return {"IamIdentity": {"Arn": arn, "PrincipalId": f"AROALOCALSAGEMAKER0:{session}"}}


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in some containers
        return "local"
