"""The gates: each a number of the evaluation and its limit, and the sentence that names those that are missed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from steps.failure import listed
from steps.gates import GATES, Bound, passes
from steps.interval import chance_in_coverage

TOO_GOOD = "which looks too good to be true above its limit (look for a feature that holds the target),"
WIDENED = "max_coverage_gap"
OF_RESERVE = ("min_r2", "max_mape", WIDENED)


@dataclass(frozen=True)
class Limits:
    """What a model must reach; the names and the meaning are those of the section gates of the YAML."""

    min_r2: float
    max_r2: float
    max_mape: float
    max_rmse_ratio: float
    max_baseline_ratio: float
    max_missing_ratio: float
    max_broken_rules: float
    max_segment_mape: float
    max_coverage_gap: float
    max_undercovered: float
    min_improvement: float


@dataclass(frozen=True)
class Check:
    """A gate with its value and limit; `subject` is what the sentence calls the value.

    `passed` is what the Condition step finds, which compares the number at the gate's path with the limit of the YAML.
    """

    name: str
    subject: str
    value: float
    bound: Bound
    limit: float
    passed: bool

    @property
    def sentence(self) -> str:
        """Value and limit, as in `R2 is 0.84 (at least 0.85)`."""
        return f"{self.subject} is {self.value:.4g} ({self.bound} {self.limit:.4g})"

    def to_json(self) -> dict[str, Any]:
        """The gate as it stands in evaluation.json."""
        return asdict(self)


def gates(document: Mapping[str, Any], limits: Limits) -> dict[str, Any]:
    """Judge evaluation.json's numbers; return its section `gates`: values, checks, missed and message.

    `values` are the numbers that the Condition step compares where they stand nowhere else. `message` names
    each gate that is missed, with its value and limit; it is empty if all are passed.
    """
    champion, interval = document["champion"], document["interval"]
    gap = abs(interval["measured"]["value"] - interval["coverage"])
    tolerated, why = _tolerated_gap(document, limits)
    # A condition compares numbers: 1 where nobody is to be beaten, -1 where it could not be shown.
    improvement = {"none": 1.0, "unusable": -1.0}.get(champion["status"])
    if improvement is None:
        improvement = champion["improvement"]["lower"]
    # The condition compares with the limit of the YAML: what chance widens it by is taken off the value.
    values = {"coverage_gap": gap - (tolerated - limits.max_coverage_gap), "improvement": improvement}
    whole, subjects = {**document, "gates": {"values": values}}, _subjects(document, why)
    checks = [_check(name, subjects[name], gate.value(whole), getattr(limits, name)) for name, gate in GATES.items()]
    # A person sees the distance itself, and the limit as it was widened.
    checks = [replace(each, value=gap, limit=tolerated) if each.name == WIDENED else each for each in checks]
    missed = [check for check in checks if not check.passed]
    return {
        "values": values,
        "checks": [check.to_json() for check in checks],
        "missed": [check.name for check in missed],
        "message": _message(missed, champion),
    }


def gates_of_reserve(document: Mapping[str, Any], limits: Limits) -> dict[str, Any]:
    """The same of the reserve part, of the gates that need nothing but the model's own predictions: OF_RESERVE.

    `document` holds regression_metrics, interval and data as evaluation.json does. An interval that covers more than it
    promises keeps no version back: what it lacks is compared with max_coverage_gap.
    """
    interval = document["interval"]
    lacks = max(0.0, interval["coverage"] - interval["measured"]["value"])
    tolerated, why = _tolerated_gap(document, limits)
    metrics = document["regression_metrics"]
    judged = {
        "min_r2": ("R2", metrics["r2"]["value"], limits.min_r2),
        "max_mape": ("MAPE", metrics["mape"]["value"], limits.max_mape),
        WIDENED: (_coverage_subject(interval, why, "what it lacks of"), lacks, tolerated),
    }
    checks = [_check(name, *judged[name]) for name in OF_RESERVE]
    missed = [check for check in checks if not check.passed]
    return {
        "checks": [check.to_json() for check in checks],
        "missed": [check.name for check in missed],
        "message": "; ".join(check.sentence for check in missed),
    }


def _check(name: str, subject: str, value: float, limit: float) -> Check:
    bound = GATES[name].bound
    return Check(name, subject, value, bound, limit, passes(value, bound, limit))


def _subjects(document: Mapping[str, Any], tolerance: str) -> dict[str, str]:
    interval = document["interval"]
    return {
        "min_r2": "R2",
        "max_r2": _too_good_subject(document["too_good"]["name"]),
        "max_mape": "MAPE",
        "max_rmse_ratio": "the RMSE over the linear regression's",
        "max_baseline_ratio": _baseline_subject(document["comparison"]["baseline_ratio"]),
        "max_missing_ratio": _missing_subject(document["missing_inputs"]["worst"]["name"]),
        "max_broken_rules": _rules_subject(document["rules"]),
        "max_segment_mape": f"the MAPE of the worst segment ({document['worst_segment']['name']})",
        "max_coverage_gap": _coverage_subject(interval, tolerance),
        "max_undercovered": _undercovered_subject(interval["undercovered"]["names"]),
        "min_improvement": _improvement_subject(document["champion"]),
    }


def _too_good_subject(together: str) -> str:
    return f"the R2 of a line of {together}, {TOO_GOOD}" if together else f"R2, {TOO_GOOD}"


def _coverage_subject(interval: Mapping[str, Any], tolerance: str, compared: str = "its distance from") -> str:
    measured, wanted = interval["measured"]["value"], interval["coverage"]
    return f"the interval's coverage is {measured:.4g}, and {compared} {wanted:g}{tolerance}"


def _baseline_subject(ratio: Mapping[str, Any]) -> str:
    return (
        f"the RMSE is {ratio['value']:.4g} times that of scikit-learn's HistGradientBoosting on the same rows, and the "
        f"lower end of the {ratio['confidence']:.0%} confidence interval of that ratio"
    )


def _undercovered_subject(names: Sequence[str]) -> str:
    which = f" ({listed(names)})" if names else ""
    return f"the number of segments{which} whose coverage is, even at its upper bound, more than 3 points too low"


def _rules_subject(rules: Mapping[str, Any]) -> str:
    which = f" (most that of {rules['name']})" if rules["name"] else ""
    return f"the number of test rows that break a rule of data.monotone{which}"


def _missing_subject(name: str) -> str:
    if not name:
        return "the RMSE where an optional input is missing over the RMSE (no input is optional, which counts as 1)"
    return f"the RMSE where the optional input {name} is missing over the RMSE"


def _tolerated_gap(document: Mapping[str, Any], limits: Limits) -> tuple[float, str]:
    """The limit of the coverage's distance: what the YAML says, or as much as chance makes of so few rows."""
    calibrated, measured = document["data"]["validation_rows"], document["data"]["test_rows"]
    chance = chance_in_coverage(document["interval"]["coverage"], calibrated, measured)
    if chance <= limits.max_coverage_gap:
        return limits.max_coverage_gap, ""
    return chance, f", where {calibrated:,} validation and {measured:,} test rows tell no better than {chance:.2g},"


def _message(missed: list[Check], champion: Mapping[str, Any]) -> str:
    unusable = champion["status"] == "unusable"
    texts = [check.sentence for check in missed if not (unusable and check.name == "min_improvement")]
    if unusable and any(check.name == "min_improvement" for check in missed):
        texts.append(
            f"the champion cannot be scored, so nothing shows that this model is better ({champion['reason']}): "
            "approve another version, or give ChampionModelUri"
        )
    return "; ".join(texts) + "." if texts else ""


def _improvement_subject(champion: Mapping[str, Any]) -> str:
    if champion["status"] == "none":
        return "the improvement over the champion (none is approved yet, which counts as 1)"
    if champion["status"] == "unusable":
        return "the improvement over the champion (it cannot be scored, which counts as -1)"
    measured = champion["improvement"]
    return (
        f"the RMSE is {abs(measured['value']):.2%} {'lower' if measured['value'] >= 0 else 'higher'} than the "
        f"champion's, and the lower end of the {100 * measured['confidence']:.3g}% confidence interval of its "
        "improvement"
    )
