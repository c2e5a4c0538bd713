from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from monitoring.attribution_drift import FEWEST, AttributionDrift, attribution_drift, ndcg, of_dates_alone
from steps.model import Model
from tests.monitoring.conftest import houses

REFERENCE = houses(400, seed=11)


def drift(model: Model, current: pd.DataFrame, at_most: int = 150) -> AttributionDrift:
    found = attribution_drift(model, REFERENCE, current, at_most)
    assert found is not None
    return found


def test_the_same_kind_of_houses_is_judged_by_the_same_features(model: Model) -> None:
    found = drift(model, houses(400, seed=12, since="2026-06-01", days=30))
    assert found.rows == (150, 150)
    assert found.ndcg == pytest.approx(1.0)
    assert sum(each.now for each in found.features) == pytest.approx(1.0)
    assert all(abs(each.now - each.before) < 0.1 for each in found.features)


def test_a_feature_that_no_longer_differs_loses_its_share(model: Model) -> None:
    """Houses of one size: what is left is how much that differs from the others."""
    found = drift(model, houses(400, seed=12).assign(size=110.0))
    first = found.features[0]
    assert first.name == "size"
    assert first.now < first.before - 0.1


def test_another_order_of_importance_is_told_by_the_index() -> None:
    before = pd.Series({"a": 0.6, "b": 0.3, "c": 0.1})
    assert ndcg(before, pd.Series({"a": 0.5, "b": 0.4, "c": 0.1})) == 1.0
    swapped = (0.1 + 0.3 / np.log2(3) + 0.6 / 2) / (0.6 + 0.3 / np.log2(3) + 0.1 / 2)
    assert ndcg(before, pd.Series({"a": 0.1, "b": 0.2, "c": 0.7})) == pytest.approx(swapped)
    assert ndcg(before * 0, before) == 1.0


def test_how_far_predictions_were_moved_is_told(model: Model) -> None:
    """Houses that are larger by a half are dearer by about a half: price is in proportion to size here."""
    smaller = REFERENCE.assign(size=60.0)
    found = attribution_drift(model, smaller, REFERENCE.assign(size=90.0), 150)
    assert found is not None
    (size,) = (each for each in found.features if each.name == "size")
    assert np.expm1(size.moved) == pytest.approx(0.5, abs=0.15)


@pytest.mark.parametrize(("rows", "told"), [(FEWEST - 1, False), (FEWEST, True)])
def test_too_few_rows_are_not_explained(model: Model, rows: int, told: bool) -> None:
    assert (attribution_drift(model, REFERENCE, houses(rows, seed=3), 150) is not None) is told


def test_features_of_the_date_alone_are_left_out(model: Model) -> None:
    derived = {"day": "days(sold)", "later": "day + 1", "age": "year(sold) - size", "big": "size > 100"}
    changed = replace(model, features=replace(model.features, derived=derived))
    assert of_dates_alone(changed) >= {"day", "later"}
    assert not of_dates_alone(changed) & {"age", "big"}
    assert "year_sold" not in {each.name for each in drift(model, houses(200, seed=4)).features}
