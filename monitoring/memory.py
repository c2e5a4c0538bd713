"""What is remembered of the windows before: which checks were raised, and which of them somebody has acknowledged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

WATCH, RETRAIN = "watch", "retrain"
RANKS = {WATCH: 1, RETRAIN: 2}


@dataclass(frozen=True)
class Acknowledgement:
    """Somebody knows of a check that was raised, for a reason, until a time. decision: what it called for then."""

    check: str
    decision: str
    reason: str
    until: datetime
    by: str

    def covers(self, check: str, decision: str) -> bool:
        """Whether a check is known to call for this; one that calls for more than was acknowledged is not."""
        return check == self.check and RANKS[decision] <= RANKS[self.decision]

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Acknowledgement:
        """Read an entry of window.json. ValueError, KeyError or TypeError where it is not one."""
        if document["decision"] not in RANKS:
            raise ValueError(f"{document['decision']!r} is neither watch nor retrain")
        names = ("check", "decision", "reason", "by")
        return cls(**{name: str(document[name]) for name in names}, until=datetime.fromisoformat(document["until"]))


@dataclass(frozen=True)
class Memory:
    """raised: what each check of the window before called for, where it was raised and the same version served.

    recovery: a check that was raised stays raised while its p is below this.
    """

    raised: Mapping[str, str] = field(default_factory=dict)
    acknowledged: tuple[Acknowledgement, ...] = ()
    recovery: float = 0.0

    def acknowledgement(self, check: str, decision: str) -> Acknowledgement | None:
        """The last one that covers a check; None where nobody knows of it."""
        return next((each for each in reversed(self.acknowledged) if each.covers(check, decision)), None)
