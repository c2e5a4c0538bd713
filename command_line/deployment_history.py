"""What a command does to an endpoint, kept in the history of its stage; and following what another one does."""

import os
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from command_line.session import Session
    from deployment.history import Entry, History
    from deployment.packages import Package


class Recording:
    """The entry of one change: written when the change `begins`, and again at its end.

    An entry that a killed command has left under way for the same version is gone on with.
    """

    def __init__(self, history: "History", entry: "Entry") -> None:
        from deployment.history import UNDER_WAY

        left = history.newest()
        self._history = history
        self._continues = left is not None and left.outcome == UNDER_WAY and left.package == entry.package
        self.entry = left if left is not None and self._continues else entry
        self._begun = self._continues

    def begins(self) -> None:
        """The change begins now."""
        if not self._begun:
            self._history.write(self.entry)
        self._begun = True

    def end(self, outcome: str, reason: str = "", **more: Any) -> None:
        """The change has ended; nothing is kept of one that never began."""
        from deployment.history import now

        if self._begun:
            self.entry = replace(self.entry, outcome=outcome, reason=reason, ended=now(), **more)
            self._history.write(self.entry)


def entry_of(session: "Session", stage: str, action: str, package: "Package", **more: Any) -> "Entry":
    """A new entry for what this process is about to do with a version."""
    from command_line.identity import who_am_i
    from deployment.history import Entry, now

    return Entry(
        endpoint=session.endpoint(stage),
        stage=stage,
        action=action,
        version=package.version,
        package=package.arn,
        commit=package.git_commit,
        **{"who": who_am_i(session.client("sts")), **more},
        strategy=session.settings.stages[stage].deployment.strategy,
        began=now(),
        build=os.environ.get("CODEBUILD_BUILD_ID"),
        log=os.environ.get("CODEBUILD_LOG_PATH"),
    )


@contextmanager
def recorded(session: "Session", entry: "Entry") -> Iterator[Recording]:
    """Keep what becomes of a change while the block runs; the block says when it begins, and how it ended well."""
    from deployment.errors import Inconclusive, RolledBack
    from deployment.history import FAILED, INCONCLUSIVE, ROLLED_BACK

    recording = Recording(session.history(entry.endpoint), entry)
    try:
        yield recording
    except Inconclusive as error:
        recording.end(INCONCLUSIVE, str(error))
        raise
    except RolledBack as error:
        recording.end(ROLLED_BACK, str(error))
        raise
    except Exception as error:
        recording.end(FAILED, str(error))
        raise


class Following:
    """Shows what another process does to an endpoint: its deployment once it is known, then each status.

    Followed is what is under way, or, where the names of the entries until now are `known`, what is new since.
    """

    def __init__(self, session: "Session", stage: str, known: Collection[str] | None = None) -> None:
        self._session = session
        self._endpoint = session.endpoint(stage)
        self._history = session.history(self._endpoint)
        self._known = known
        self._seen: tuple[str, ...] | None = None
        self._began = time.monotonic()
        self.entry: Entry | None = None

    def look(self) -> None:
        """Look once, and say what is new."""
        from deployment.history import UNDER_WAY

        if self.entry is None or self.entry.outcome != UNDER_WAY:
            newest = self._history.newest()
            is_new = newest is not None and self._known is not None and newest.name not in self._known
            if newest is not None and (newest.outcome == UNDER_WAY or is_new) and newest != self.entry:
                self.entry = newest
                self._session.console.line(f"Following {described(newest)}")
        self._show_status()

    def ended(self) -> "Entry | None":
        """The entry that is followed, as it is by now."""
        self.entry = self._history.read(self.entry) if self.entry is not None else None
        return self.entry

    def _show_status(self) -> None:
        from deployment.endpoint import describe_endpoint
        from deployment.weighted import percent_of

        found = describe_endpoint(self._session.client("sagemaker"), self._endpoint)
        pending = (found or {}).get("PendingDeploymentSummary", {}).get("ProductionVariants", [{}])
        phases = pending[0].get("VariantStatus", [{}]) if pending else [{}]
        percent = percent_of(found) if found else None
        share = f"{percent}% to the new version" if percent is not None else None
        status = found["EndpointStatus"] if found else "not deployed"
        seen = tuple(filter(None, (status, phases[0].get("Status"), share)))
        if seen != self._seen:
            self._session.console.line(f"{time.monotonic() - self._began:7.1f} s  {', '.join(seen)}")
        self._seen = seen


def raise_outcome(entry: "Entry") -> None:
    """The error that ended a deployment that was followed; none where it serves."""
    from deployment.errors import DeploymentError, Inconclusive, RolledBack
    from deployment.history import FAILED, INCONCLUSIVE, ROLLED_BACK

    kinds = {INCONCLUSIVE: Inconclusive, ROLLED_BACK: RolledBack, FAILED: DeploymentError}
    if entry.outcome in kinds:
        raise kinds[entry.outcome](entry.reason)


def described(entry: "Entry") -> str:
    """A change in a few words."""
    from command_line.console import moment

    what = "the rollback to" if entry.action == "rollback" else "the deployment of"
    return f"{what} version {entry.version} to {entry.stage}, begun by {entry.who} at {moment(entry.moment)}"
