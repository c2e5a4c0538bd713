"""The checks of the data behind an evaluation: those of `steps.data_checks`, and drift between its parts."""

from __future__ import annotations

from collections.abc import Sequence

from evaluation.drift import adversarial_auc, chance_auc, drifts, population_stability
from steps.data_checks import Finding, check_parts
from steps.evaluated_settings import EvaluatedSettings
from steps.row_source import RowSource

HIGH_STABILITY = 0.25  # the usual reading of the index: below 0.1 none, above 0.25 much drift
HIGH_AUC = 0.65


def check_data(
    train: RowSource, test: RowSource, settings: EvaluatedSettings, known: Sequence[Finding] | None = None
) -> list[Finding]:
    """Run every check on typed raw rows of both parts, in the order in which a person reads them.

    `known`: what `check_parts` says of them, where that is known already.
    """
    drift = [drifting_columns(train, test, settings), adversarial(train, test, settings)]
    return [*(check_parts(train, test, settings) if known is None else known), *drift]


def drifting_columns(train: RowSource, test: RowSource, settings: EvaluatedSettings) -> Finding:
    """The population stability index of each input between the training and the test part, less what is chance."""
    values = {name: population_stability(train[name], test[name]) for name in _inputs(settings)}
    high = [name for name, value in values.items() if value > HIGH_STABILITY and drifts(train[name], test[name])]
    worst = max(values, key=values.__getitem__)
    text = f"The highest population stability index is that of {worst}, {values[worst]:.3f}"
    if high:
        return Finding("drift by column", "warning", f"{text}; above {HIGH_STABILITY} is drift.", values)
    return Finding("drift by column", "ok", f"{text} (above {HIGH_STABILITY} is drift).", values)


def adversarial(train: RowSource, test: RowSource, settings: EvaluatedSettings) -> Finding:
    """Whether a classifier can tell test rows from training rows by their inputs."""
    inputs = _inputs(settings)
    auc = adversarial_auc(train, test, inputs)
    text = f"A classifier tells test rows from training rows with an AUC of {auc:.3f} (0.5 is by chance)."
    high = auc > max(HIGH_AUC, chance_auc(len(train), len(test)))
    return Finding("adversarial validation", "warning" if high else "ok", text, {"auc": auc})


def _inputs(settings: EvaluatedSettings) -> list[str]:
    return [name for name, column in settings.data.inputs.items() if column.type != "date"]
