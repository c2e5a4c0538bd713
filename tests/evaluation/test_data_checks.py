"""Drift between the parts is found; what is chance in small samples is not taken for it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from evaluation.data_checks import check_data
from evaluation.drift import area_under_curve, drifts, population_stability
from steps.data_checks import Finding
from steps.row_source import InMemory
from tests.steps.test_data_checks import SETTINGS, TEST, TRAIN, flats


def severities(train: pd.DataFrame, test: pd.DataFrame) -> dict[str, str]:
    return {finding.check: finding.severity for finding in check_data(InMemory(train), InMemory(test), SETTINGS)}


def test_sound_data_has_no_finding() -> None:
    assert set(severities(TRAIN, TEST).values()) == {"ok"}


def test_what_is_known_of_the_rows_is_not_asked_again() -> None:
    known = [Finding("copied rows", "warning", "as Preprocess has found it", {})]
    found = check_data(InMemory(TRAIN), InMemory(TEST), SETTINGS, known)
    assert [finding.check for finding in found] == ["copied rows", "drift by column", "adversarial validation"]
    assert found[0] is known[0]


@pytest.mark.e2e
def test_small_samples_of_one_distribution_are_no_drift() -> None:
    for seed in range(5):
        found = severities(flats(0, 60, seed), flats(100, 25, 100 + seed))
        assert found["drift by column"] == "ok"
        assert found["adversarial validation"] == "ok"


def test_drift_is_seen_by_column_and_by_the_classifier() -> None:
    found = severities(TRAIN, TEST.assign(size=TEST["size"] + 40))
    assert found["drift by column"] == "warning"
    assert found["adversarial validation"] == "warning"


def test_stability_index_is_that_of_its_definition() -> None:
    reference, current = pd.Series(["a"] * 50 + ["b"] * 50), pd.Series(["a"] * 80 + ["b"] * 20)
    by_definition = 0.3 * np.log(0.8 / 0.5) - 0.3 * np.log(0.2 / 0.5)
    assert population_stability(reference, current) == pytest.approx(by_definition - 1 / 100 - 1 / 100)
    assert drifts(reference, current)
    numbers = pd.Series(np.arange(1000.0))
    assert population_stability(numbers, numbers) == pytest.approx(0, abs=1e-6)
    assert population_stability(numbers, pd.Series([np.nan] * 1000)) > 1


def test_area_under_the_curve() -> None:
    label = np.array([0.0, 0.0, 1.0, 1.0])
    assert area_under_curve(label, np.array([0.1, 0.2, 0.3, 0.4])) == 1
    assert area_under_curve(label, np.array([0.1, 0.4, 0.3, 0.2])) == 0.5
    assert area_under_curve(label, np.ones(4)) == 0.5
