"""One decision of all checks: ok, watch, retrain, or not enough data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from monitoring.checks import Check
from monitoring.memory import RETRAIN, WATCH, Memory

OK, NOT_ENOUGH = "ok", "not enough data"
NOTHING_KNOWN = Memory()


@dataclass(frozen=True)
class Decision:
    """What is to be done, why, and at which level each check was judged.

    outcomes: of each check, by its name: ok, changed, still changed (raised by the window before, and not gone),
    acknowledged, not enough data. raised: what each check that is changed, still changed or acknowledged calls for.
    """

    decision: str
    reasons: tuple[str, ...]
    level: float
    checks: tuple[Check, ...]
    outcomes: Mapping[str, str]
    raised: Mapping[str, str]

    def to_json(self) -> dict[str, Any]:
        """The content of decision.json."""
        return {
            "decision": self.decision,
            "reasons": list(self.reasons),
            "level_of_each_check": self.level,
            "raised": dict(self.raised),
            "checks": [{**check.to_json(), "outcome": self.outcomes[check.name]} for check in self.checks],
        }


def decide(checks: Sequence[Check], false_alarms: float, memory: Memory = NOTHING_KNOWN) -> Decision:
    """Decide over a window's checks; `false_alarms` is the chance that any of them errs where nothing has changed.

    It is shared out equally over the checks that had data (Bonferroni), which holds however they depend on each other.
    A change that is serious calls for a retrain, any other for watching. What the window before has raised is gone only
    when it is clearly gone (hysteresis), and what somebody has acknowledged calls for nothing.
    """
    judged = [check for check in checks if check.p is not None]
    tested = [check for check in judged if not check.certain]
    level = false_alarms / max(1, len(tested))
    raised = {check.name: called for check in judged if (called := _called_for(check, level, memory))}
    outcomes = {check.name: _outcome(check, level, raised.get(check.name), memory) for check in checks}
    counted = [check for check in judged if outcomes[check.name] in ("changed", "still changed")]
    known = [_acknowledged(check, raised, memory) for check in judged if outcomes[check.name] == "acknowledged"]
    if not tested and not raised:
        decision = NOT_ENOUGH
        reasons = list(dict.fromkeys(check.sentence for check in checks if check.p is None))
    elif not counted:
        decision, reasons = OK, known or ["No check found a difference that chance would not explain."]
    else:
        decision = RETRAIN if any(raised[check.name] == RETRAIN for check in counted) else WATCH
        ordered = sorted(counted, key=lambda check: (raised[check.name] != RETRAIN, check.p))
        reasons = [_told(check, outcomes[check.name]) for check in ordered] + known
    return Decision(decision, tuple(reasons), level, tuple(checks), outcomes, raised)


def _called_for(check: Check, level: float, memory: Memory) -> str | None:
    """What a check calls for; None where it is not raised."""
    before = memory.raised.get(check.name)
    is_new = check.outcome(level) == "changed"
    if not is_new and (before is None or check.outcome(memory.recovery) != "changed"):
        return None
    stays_serious = before == RETRAIN and check.lingering
    return RETRAIN if check.serious or stays_serious else WATCH


def _outcome(check: Check, level: float, called_for: str | None, memory: Memory) -> str:
    if called_for is None:
        return "not enough data" if check.p is None else "ok"
    if memory.acknowledgement(check.name, called_for) is not None:
        return "acknowledged"
    return "changed" if check.outcome(level) == "changed" else "still changed"


def _told(check: Check, outcome: str) -> str:
    return check.sentence if outcome == "changed" else f"Not yet gone since the window before: {check.sentence}"


def _acknowledged(check: Check, raised: Mapping[str, str], memory: Memory) -> str:
    known = memory.acknowledgement(check.name, raised[check.name])
    if known is None:
        raise LookupError(check.name)
    return f"Acknowledged until {known.until:%Y-%m-%d %H:%M} UTC by {known.by} ({known.reason}): {check.sentence}"
