"""Who runs the command, as AWS knows it."""

from typing import Any


def who_am_i(sts: Any) -> str:
    """The end of the caller's ARN: the name of a user, or of a role's session."""
    return str(sts.get_caller_identity()["Arn"]).rpartition("/")[2]
