"""The monitoring's numbers are those of Evidently and NannyML, as oracles/record.py has recorded them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from evaluation.drift import adversarial_auc, population_stability
from monitoring.estimated_error import estimated_error
from monitoring.input_drift import InputDrift, input_drift
from monitoring.sample import Sample
from steps.metrics import regression_metrics
from steps.row_source import InMemory
from tests.monitoring.oracles.record import FOLDER, INPUTS
from tests.monitoring.oracles.rows import month

NUMBERS = ("size", "rooms")


def recorded(library: str) -> dict[str, float]:
    """The figures of a library."""
    document: dict[str, Any] = json.loads((FOLDER / f"{library}.json").read_text())
    return dict(document["figures"])


EVIDENTLY, NANNYML = recorded("evidently"), recorded("nannyml")


def sample(changed: bool) -> Sample:
    rows = pd.DataFrame(month(changed))
    nothing = np.full(len(rows), np.nan)
    return Sample(rows[INPUTS], rows["price"].to_numpy(), rows["predicted"].to_numpy(), nothing, nothing)


REFERENCE, CURRENT = sample(changed=False), sample(changed=True)


@pytest.fixture(scope="module")
def drift() -> InputDrift:
    return input_drift(REFERENCE.rows, CURRENT.rows, INPUTS, None, 99)


@pytest.mark.parametrize("name", NUMBERS)
def test_the_distances_of_numbers_are_those_of_both_libraries(drift: InputDrift, name: str) -> None:
    found = {each.name: each for each in drift.features}[name]
    assert found.distance == pytest.approx(NANNYML[f"kolmogorov_smirnov of {name}"], rel=1e-6)
    assert found.wasserstein == pytest.approx(EVIDENTLY[f"wasserstein of {name}"], rel=1e-6)
    spread = float(REFERENCE.rows[name].std(ddof=0))
    assert found.wasserstein == pytest.approx(NANNYML[f"wasserstein of {name}"] / spread, rel=1e-6)


def test_the_distance_of_categories_is_no_less_than_the_largest_difference_of_one(drift: InputDrift) -> None:
    found = {each.name: each for each in drift.features}["quarter"]
    largest = NANNYML["l_infinity of quarter"]
    assert largest - 1e-9 <= found.distance <= 2 * largest
    shares = [rows["quarter"].value_counts(normalize=True).sort_index() for rows in (REFERENCE.rows, CURRENT.rows)]
    assert largest == pytest.approx(float((shares[0] - shares[1]).abs().max()), rel=1e-6)


def test_the_population_stability_index_is_evidently_s_less_what_is_chance() -> None:
    found = population_stability(REFERENCE.rows["quarter"], CURRENT.rows["quarter"])
    chance = (4 - 1) * (1 / len(REFERENCE) + 1 / len(CURRENT))
    assert found + chance == pytest.approx(EVIDENTLY["psi of quarter"], rel=1e-3)


def test_what_drifts_is_what_the_libraries_say(drift: InputDrift) -> None:
    """At Evidently's own limits: p below 0.05, a PSI or a distance of 0.1 and more."""
    assert drift.p == 1 / 100
    assert EVIDENTLY["ks of size"] < 0.05
    assert EVIDENTLY["chisquare of quarter"] < 0.05
    assert EVIDENTLY["psi of quarter"] > 0.1


def test_the_classifier_tells_the_months_apart_as_well_as_nannyml_s() -> None:
    assert adversarial_auc(InMemory(REFERENCE.rows), InMemory(CURRENT.rows)) == pytest.approx(NANNYML["auc"], abs=0.05)


def test_the_quality_of_the_predictions_is_evidently_s() -> None:
    found = regression_metrics(CURRENT.actual, CURRENT.predicted)
    assert found["mape"] == pytest.approx(EVIDENTLY["mape"] / 100, rel=1e-6)
    assert found["mape"] == pytest.approx(NANNYML["mape"], rel=1e-6)
    for name in ("mae", "rmse", "r2"):
        assert found[name] == pytest.approx(EVIDENTLY[name], rel=1e-6)


def test_the_estimated_error_is_near_to_nannyml_s_and_blind_to_the_market_as_that_is() -> None:
    """More houses of the quarter whose errors are wide are seen, the market that moved is not."""
    found = estimated_error(REFERENCE, CURRENT.rows, CURRENT.predicted, np.full(len(CURRENT), np.nan), None)
    assert found is not None
    before = regression_metrics(REFERENCE.actual, REFERENCE.predicted)["mape"]
    assert found.mape == pytest.approx(NANNYML["estimated mape"], rel=0.1)
    assert min(found.mape, NANNYML["estimated mape"]) > before
