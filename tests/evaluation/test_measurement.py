"""What is said of a model alone needs nothing that it is compared with; what cannot be measured is named at once."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from evaluation.champion import Champion
from evaluation.measurement import Scored, compared, of_the_model
from evaluation.plain_boosting import NAME
from steps.failure import JobError
from steps.row_source import InMemory

ACTUAL = np.array([100.0, 200.0, 300.0, 400.0])


def scored(actual: np.ndarray, **others: np.ndarray) -> Scored:
    predictions = {"xgboost": actual + 10, "linear": actual - 40, **others}
    bounds = actual - np.array([20, -5, 20, 20]), actual + 30
    return Scored(InMemory(pd.DataFrame({"y": actual})), actual, predictions, bounds, Champion("none"))


def test_a_model_alone_needs_nothing_that_it_is_compared_with() -> None:
    found = of_the_model(scored(ACTUAL), [], 0.9)
    assert found["registered"] == "xgboost"
    assert found["interval"]["measured"]["value"] == 0.75
    assert found["interval"]["median_width"]["value"] == 50
    assert found["worst_segment"] == {
        "name": "all rows",
        "rows": 4,
        "mape": pytest.approx(np.mean([0.1, 0.05, 1 / 30, 0.025])),
    }


def test_what_is_compared_names_each_candidate() -> None:
    found = compared(scored(ACTUAL, **{NAME: ACTUAL + 20}))
    assert {name: metrics["rmse"]["value"] for name, metrics in found["candidates"].items()} == {
        "xgboost": 10,
        "linear": 40,
        NAME: 20,
    }
    assert found["regression_metrics"] == found["candidates"]["xgboost"]
    assert found["comparison"]["rmse_ratio"]["value"] == 0.25
    assert found["comparison"]["baseline_ratio"]["value"] == 0.5
    assert found["champion"] == {"status": "none"}


@pytest.mark.parametrize("actual", [np.full(4, 7.0), np.zeros(4)])
def test_a_metric_that_the_rows_do_not_define_is_named_before_anything_is_drawn(actual: np.ndarray) -> None:
    for measured in (lambda: of_the_model(scored(actual), [], 0.9), lambda: compared(scored(actual, **{NAME: actual}))):
        with pytest.raises(JobError, match="The metric r2 is not defined on the 4 rows"):
            measured()
