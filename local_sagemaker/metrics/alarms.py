"""What state an alarm is to have: its datapoints against its threshold, and what is missing. Pure.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
"""

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass

OK, ALARM, INSUFFICIENT = "OK", "ALARM", "INSUFFICIENT_DATA"
LOOK_BACK = 2  # datapoints beyond the evaluation periods that are looked at where some are missing
COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
MISSING_DATA = ("missing", "ignore", "breaching", "notBreaching")


@dataclass(frozen=True)
class Rule:
    """When an alarm is in ALARM: `datapoints` of the last `periods` datapoints breach the threshold."""

    comparison: str
    threshold: float
    periods: int
    datapoints: int
    missing: str = "missing"

    @property
    def looked_at(self) -> int:
        """How many datapoints `judge` wants to see."""
        return self.periods + LOOK_BACK


@dataclass(frozen=True)
class Judgement:
    """A state, and why."""

    state: str
    reason: str


def judge(rule: Rule, datapoints: Sequence[float | None], now: str) -> Judgement:
    """The state that follows from the last `looked_at` datapoints, oldest first; None is one that is missing.

    Where as many as `periods` are there, the newest of them decide and nothing is missing.
    """
    there = [value for value in datapoints if value is not None]
    looked_at = there[-rule.periods :]
    missing = rule.periods - len(looked_at)
    breaching = sum(COMPARISONS[rule.comparison](value, rule.threshold) for value in looked_at)
    if rule.missing == "breaching":
        breaching, missing = breaching + missing, 0
    elif rule.missing == "notBreaching":
        missing = 0
    elif rule.missing == "missing" and not looked_at:
        return Judgement(INSUFFICIENT, f"Insufficient Data: {rule.periods} datapoints were unknown.")
    reason = _reason(rule, looked_at, breaching)
    if breaching >= rule.datapoints:
        return Judgement(ALARM, reason)
    if missing and breaching + missing >= rule.datapoints:
        if rule.missing == "ignore":
            return Judgement(now, "Unchanged: missing data is ignored.")
        if breaching:  # all that is known breaches, and what is missing is not taken for good
            return Judgement(ALARM, reason)
    return Judgement(OK, reason)


def _reason(rule: Rule, looked_at: Sequence[float], breaching: int) -> str:
    values = ", ".join(f"{value:.6g}" for value in looked_at) or "none"
    return (
        f"Threshold Crossed: {breaching} of the last {rule.periods} datapoints [{values}] breach the threshold "
        f"({rule.comparison} {rule.threshold:g}); {rule.datapoints} are needed for an alarm."
    )
