"""One check of a window: what it found, and how likely that is by chance."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Outcome = Literal["ok", "changed", "not enough data"]


@dataclass(frozen=True)
class Check:
    """A test of one hypothesis: nothing has changed.

    p: the chance of a difference at least as large where nothing has; None where there were too few rows to look.
    size: how large the difference is, in the unit that the sentence names. serious: whether it is large enough for a
    retrain, should it be no chance. lingering: whether it is too large for an earlier retrain to be over. certain:
    nothing about it is left to chance, so p is 0 or 1; that alone says nothing of the model. sentence: what was found,
    for people.
    """

    name: str
    sentence: str
    p: float | None = None
    size: float | None = None
    serious: bool = False
    lingering: bool = False
    certain: bool = False

    def outcome(self, level: float) -> Outcome:
        """Whether it is a change, at a level of significance for this check alone."""
        if self.p is None:
            return "not enough data"
        return "changed" if self.p < level else "ok"

    def to_json(self) -> dict[str, Any]:
        """The check in decision.json, without its outcome."""
        return asdict(self)
