"""Whether an approval that an event brings is to be acted on: events repeat, come late and out of order. Pure."""

from collections.abc import Iterable
from datetime import datetime, timezone

from deployment.errors import DeploymentError
from deployment.history import CONCLUDED, Entry
from deployment.packages import APPROVED, Package


def event_moment(text: str) -> datetime:
    """The time of an event; DeploymentError where it is not one."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise DeploymentError(
            f"--approved-at is {text!r}: give the time of the event, such as 2026-11-28T05:00:00Z."
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def passed_over(
    package: Package, approved_at: datetime, serving: Iterable[Package | None], entries: Iterable[Entry]
) -> str | None:
    """Why the approval of a version is not acted on any more; None where it is.

    `serving` are the versions that the endpoint has, or is about to have, and `entries` its history. A version that is
    not approved any more keeps no older one away.
    """
    newer = [each.version for each in serving if each and each.approval == APPROVED and each.version > package.version]
    if newer:
        return (
            f"version {max(newer)} is newer and approved: an approval alone does not replace it by version "
            f"{package.version}; `deploy --model-package {package.version}` without --approved-at does"
        )
    for entry in entries:
        if entry.package == package.arn and entry.outcome in CONCLUDED and entry.moment >= approved_at:
            return f"this approval was acted on at {entry.moment:%Y-%m-%d %H:%M:%S} UTC: {entry.outcome}"
    return None
