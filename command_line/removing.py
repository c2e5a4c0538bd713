"""What is said of endpoints that remove themselves, and that no schedule is left where nothing was deployed."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from command_line.session import Session
    from deployment.removal import Removal


@contextmanager
def no_removal_of_nothing(sagemaker: Any, removal: "Removal") -> Iterator[None]:
    """Take the schedule back where a deployment has failed and left no endpoint."""
    from deployment.endpoint import describe_endpoint

    try:
        yield
    except Exception:  # not where the person stops waiting: SageMaker goes on then
        if removal.after is not None and describe_endpoint(sagemaker, removal.endpoint) is None:
            removal.cancel()
        raise


def removes_itself(endpoint: str, when: datetime) -> str:
    """When an endpoint goes, as a sentence."""
    from command_line.console import duration, moment

    left = (when - datetime.now(timezone.utc)).total_seconds()
    rest = f"in {duration(left)}" if left > 0 else "now"
    return f"{endpoint} removes itself {moment(when)}, {rest}; `deploy` puts it off."


def goes(session: "Session", stage: str) -> datetime | None:
    """When the endpoint of a stage goes; None also where the caller may not know, which is said."""
    from botocore.exceptions import ClientError

    from pipelines.aws_errors import DENIED, explain

    try:
        return session.removal(stage).when()
    except ClientError as error:
        if error.response["Error"].get("Code") not in DENIED:
            raise
        print(f"note: whether {session.endpoint(stage)} removes itself is not known: {explain(error)}", file=sys.stderr)
        return None


def removal_request(removal: "Removal") -> dict[str, Any]:
    """The request of the schedule, for `deploy --plan`, were it to serve now."""
    operation = "CreateSchedule" if removal.when() is None else "UpdateSchedule"
    when = datetime.now(timezone.utc) + (removal.after or timedelta())
    return {"operation": operation, "request": removal.request(when)}
