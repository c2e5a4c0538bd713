"""One decision of all checks: ok, watch, retrain, or not enough data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from monitoring.checks import Check

OK, WATCH, RETRAIN, NOT_ENOUGH = "ok", "watch", "retrain", "not enough data"


@dataclass(frozen=True)
class Decision:
    """What is to be done, why, and at which level each check was judged."""

    decision: str
    reasons: tuple[str, ...]
    level: float
    checks: tuple[Check, ...]

    def to_json(self) -> dict[str, Any]:
        """The content of decision.json."""
        return {
            "decision": self.decision,
            "reasons": list(self.reasons),
            "level_of_each_check": self.level,
            "checks": [check.to_json(self.level) for check in self.checks],
        }


def decide(checks: Sequence[Check], false_alarms: float) -> Decision:
    """Decide over a window's checks; `false_alarms` is the chance that any of them errs where nothing has changed.

    It is shared out equally over the checks that had data (Bonferroni), which holds however they depend on each other.
    A change that is serious calls for a retrain, any other for watching.
    """
    judged = [check for check in checks if check.p is not None]
    tested = [check for check in judged if not check.certain]
    level = false_alarms / max(1, len(tested))
    changed = [check for check in judged if check.outcome(level) == "changed"]
    if not tested and not changed:
        decision = NOT_ENOUGH
        reasons = list(dict.fromkeys(check.sentence for check in checks if check.p is None))
    elif not changed:
        decision, reasons = OK, ["No check found a difference that chance would not explain."]
    else:
        decision = RETRAIN if any(check.serious for check in changed) else WATCH
        ordered = sorted(changed, key=lambda check: (not check.serious, check.p))
        reasons = [check.sentence for check in ordered]
    return Decision(decision, tuple(reasons), level, tuple(checks))
