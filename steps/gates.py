"""The gates: what each compares with its limit, and what the limit may be.

The YAML's schema, the pipeline's parameters and conditions, and the evaluation read them here. Imports no library, so
that checking the YAML loads none.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

Bound = Literal["at least", "at most", "more than"]
COMPARISONS = {"at least": operator.ge, "at most": operator.le, "more than": operator.gt}


class Gate(NamedTuple):
    """One question: is the number at `path` of evaluation.json on the right side of the limit?

    `allowed` are the bounds of the limit itself, in pydantic's words; `default` stands where the YAML leaves it out.
    """

    path: str
    bound: Bound
    allowed: Mapping[str, Any]
    default: float | None = None

    def value(self, evaluation: Mapping[str, Any]) -> float:
        """The number of an evaluation.json that is compared."""
        found: Any = evaluation
        for name in self.path.split("."):
            found = found[name]
        return float(found)


GATES = {
    "min_r2": Gate("regression_metrics.r2.value", "at least", {"le": 1}),
    "max_r2": Gate("too_good.value", "at most", {"gt": 0, "le": 1}, default=0.99),
    "max_mape": Gate("regression_metrics.mape.value", "at most", {"gt": 0}),
    "max_rmse_ratio": Gate("comparison.rmse_ratio.value", "at most", {"gt": 0}),
    "max_baseline_ratio": Gate("comparison.baseline_ratio.lower", "at most", {"gt": 0}, default=1.0),
    "max_missing_ratio": Gate("missing_inputs.worst.rmse_ratio", "at most", {"ge": 1}, default=3.0),
    "max_broken_rules": Gate("rules.broken", "at most", {"ge": 0}, default=0.0),
    "max_segment_mape": Gate("worst_segment.mape", "at most", {"gt": 0}, default=0.5),
    "max_coverage_gap": Gate("gates.values.coverage_gap", "at most", {"gt": 0, "lt": 1}, default=0.02),
    "max_undercovered": Gate("interval.undercovered.count", "at most", {"ge": 0}, default=0.0),
    "min_improvement": Gate("gates.values.improvement", "more than", {"gt": -1, "lt": 1}, default=0.0),
}


def passes(value: float, bound: str, limit: float) -> bool:
    """Whether a value is on the right side of a limit, as SageMaker's Condition step compares them."""
    return bool(COMPARISONS[bound](value, limit))
