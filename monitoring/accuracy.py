"""Whether prices still lie where the model says: level, error, coverage, and place by place."""

from __future__ import annotations

import numpy as np
from scipy.stats import fisher_exact, mannwhitneyu

from evaluation.number_texts import counted, percent, signed
from monitoring.checks import Check
from monitoring.sample import Sample
from monitoring.statistics import interval_of
from steps.monitoring_settings import MonitoringSettings

FEWEST_INTERVALS = 20  # below which the coverage is not looked at


def accuracy_checks(
    reference: Sample, current: Sample, settings: MonitoringSettings, place: str | None, what: str
) -> list[Check]:
    """The checks of a sample against the test part at registration.

    `what` says what its rows are, such as "new sales"; `place` is the column of places, None without one. Ratios are
    compared by rank sums (Mann and Whitney): they move together where the level moves, and few dear houses weigh no
    more than others.
    """
    names = [f"{name} of {what}" for name in ("level", "error", "coverage", *(["places"] if place else []))]
    rows = len(current.known_ratios)
    if rows < settings.min_sales:
        there = counted(rows, what.removesuffix("s"), what)
        few = f"Not enough data: {there} where {settings.min_sales:,} are needed (monitoring.min_sales)."
        return [Check(name, few) for name in names]
    checks = [_level(names[0], reference, current, settings, what)]
    checks.append(_error(names[1], reference, current, settings, what))
    checks.append(_coverage(names[2], reference, current, what))
    if place:
        checks.append(_places(names[3], reference, current, settings, place))
    return checks


def level_change(reference: np.ndarray, current: np.ndarray) -> float:
    """By what share the median of predicted / actual has changed; both are its logarithms."""
    return float(np.expm1(np.median(current) - np.median(reference)))


def _level(name: str, reference: Sample, current: Sample, settings: MonitoringSettings, what: str) -> Check:
    before, now = reference.known_ratios, current.known_ratios
    change = level_change(before, now)
    low, high = interval_of(level_change, before, now)
    direction = "below" if change < 0 else "above"
    sentence = (
        f"The level moved by {signed(change)} (95 %: {signed(low)} to {signed(high)}): on {len(now):,} {what} the "
        f"predictions lie further {direction} the prices than at registration."
    )
    p = float(mannwhitneyu(now, before).pvalue)
    size, limit = abs(change), settings.max_level_change
    return Check(name, sentence, p, change, serious=size >= limit, lingering=size >= limit * settings.recovery_share)


def _error(name: str, reference: Sample, current: Sample, settings: MonitoringSettings, what: str) -> Check:
    """The spread around the level, so that a level that moved is not told twice."""
    before, now = (np.abs(each - np.median(each)) for each in (reference.known_ratios, current.known_ratios))
    mape = [float(np.nanmean(sample.errors)) for sample in (reference, current)]
    ratio = mape[1] / mape[0] if mape[0] > 0 else 1.0
    sentence = (
        f"The errors spread wider, beside the level: MAPE is {percent(mape[1])} on {len(now):,} {what} where it was "
        f"{percent(mape[0])} at registration."
    )
    p = float(mannwhitneyu(now, before, alternative="greater").pvalue)
    serious, lingering = ratio >= settings.max_error_ratio, ratio >= settings.recovered_error_ratio
    return Check(name, sentence, p, ratio, serious=serious, lingering=lingering)


def _coverage(name: str, reference: Sample, current: Sample, what: str) -> Check:
    if len(current.inside) < FEWEST_INTERVALS:
        there = counted(len(current.inside), f"of the {what} has", f"of the {what} have")
        return Check(name, f"Not enough data: {there} an interval where {FEWEST_INTERVALS} are needed.")
    counts = [(int(sample.inside.sum()), len(sample.inside)) for sample in (current, reference)]
    table = [[inside, rows - inside] for inside, rows in counts]
    shares = [inside / rows for inside, rows in counts]
    sentence = (
        f"The interval holds {percent(shares[0])} of {len(current.inside):,} {what} where it held "
        f"{percent(shares[1])} at registration."
    )
    return Check(name, sentence, float(fisher_exact(table, alternative="less").pvalue), shares[0] - shares[1])


def _places(name: str, reference: Sample, current: Sample, settings: MonitoringSettings, place: str) -> Check:
    """The place whose level moved most significantly against all others; p is adjusted for the number of places."""
    found = place_changes(reference, current, settings, place)
    if not found:
        needed = counted(settings.min_place_sales, "new sale", "new sales")
        return Check(name, f"Not enough data: no {place} has {needed} (monitoring.min_place_sales).")
    worst = min(found, key=lambda each: each[3])
    p = min(1.0, worst[3] * len(found))
    sales = counted(worst[1], "sale", "sales")
    sentence = f"In {place} {worst[0]} the level moved by {signed(worst[2])} against all others ({sales})."
    return Check(name, sentence, p, worst[2])


def place_changes(
    reference: Sample, current: Sample, settings: MonitoringSettings, place: str
) -> list[tuple[str, int, float, float]]:
    """(place, its new sales, the change of its level beside the common one, p) of each place with enough rows."""
    ratios, common = [], []
    for sample in (reference, current):
        known = np.isfinite(sample.ratios)
        common.append(float(np.median(sample.ratios[known])))
        ratios.append(dict(list(sample.rows[known].assign(ratio=sample.ratios[known]).groupby(place)["ratio"])))
    found = []
    for key, now in ratios[1].items():
        before = ratios[0].get(key)
        if before is None or min(len(before), len(now)) < settings.min_place_sales:
            continue
        beside = [each.to_numpy() - centre for each, centre in zip((before, now), common, strict=True)]
        p = float(mannwhitneyu(beside[1], beside[0]).pvalue)
        found.append((str(key), len(now), level_change(beside[0], beside[1]), p))
    return found
