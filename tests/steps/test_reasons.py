"""Why a prediction is what it is: what each feature adds, together the prediction, in the target's unit."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from steps import serve
from steps.columns import columns_of
from steps.model import Model, load
from steps.reasons import METADATA, MOST, MOST_ROWS, OTHERS, Basis, reasons

ROW = {"signed": "2024-03-01", "area": 60.0, "rooms": 2, "lift": True, "district": "south"}
JSON = "application/json"


@pytest.fixture(name="model")
def a_model(model_folder: Path) -> Model:
    return load(model_folder)


def told(model: Model, rows: pd.DataFrame) -> tuple[np.ndarray, list[dict[str, Any]]]:
    types = {name: column.type for name, column in model.features.inputs.items()}
    columns, scores = columns_of(rows, types, types), model.predict(rows)
    return scores, reasons(model, Basis.from_json(model.metadata[METADATA]), columns, len(rows), scores)


def test_what_is_expected_and_all_that_is_added_is_the_prediction(model: Model, typed_rents: pd.DataFrame) -> None:
    scores, found = told(model, typed_rents.head(30))
    for score, each in zip(scores, found, strict=True):
        assert each["expected"] + sum(reason["adds"] for reason in each["reasons"]) == pytest.approx(score, rel=1e-9)
    assert len({each["expected"] for each in found}) == 1
    assert found[0]["expected"] == pytest.approx(np.median(typed_rents["rent"]), rel=0.5)
    # `all others` holds what is left over, and not what the other reasons should have held.
    assert np.mean([abs(each["reasons"][-1]["adds"]) for each in found]) < 0.1 * np.mean(np.abs(scores))


def test_the_strongest_come_first_and_what_says_the_same_is_one_reason(model: Model, typed_rents: pd.DataFrame) -> None:
    for each in told(model, typed_rents.head(5))[1]:
        *strongest, others = each["reasons"]
        sizes = [abs(reason["adds"]) for reason in strongest]
        assert sizes == sorted(sizes, reverse=True)
        assert 0 < len(strongest) <= MOST
        assert (others["feature"], others["value"]) == (OTHERS, None)
    names = " + ".join(reason["feature"] for reason in strongest).split(" + ")
    assert len(names) == len(set(names))


def test_a_larger_flat_is_dearer_for_its_area(model: Model, typed_rents: pd.DataFrame) -> None:
    rows = typed_rents.head(2).assign(area=[20.0, 120.0])
    by_area = []
    for each in told(model, rows)[1]:
        (reason,) = [reason for reason in each["reasons"] if "area" in reason["feature"].split(" + ")]
        by_area.append(reason["adds"])
    assert by_area[0] < 0 < by_area[1]


def test_a_prediction_that_is_what_is_expected_has_no_difference_to_share(
    model: Model, typed_rents: pd.DataFrame
) -> None:
    rows = typed_rents.head(1)
    types = {name: column.type for name, column in model.features.inputs.items()}
    usual = told(model, rows)[1][0]["expected"]
    basis = Basis.from_json(model.metadata[METADATA])
    (found,) = reasons(model, basis, columns_of(rows, types, types), 1, np.array([usual]))
    assert all(np.isfinite(reason["adds"]) for reason in found["reasons"])
    assert sum(reason["adds"] for reason in found["reasons"]) == pytest.approx(0, abs=1e-6 * usual)


def answered(model: Model, body: Any, content_type: str = JSON, accept: str = JSON) -> Any:
    return serve.output_fn(serve.predict_fn((json.dumps(body), content_type), model), accept)


def test_a_request_that_asks_for_reasons_gets_them_and_any_other_does_not(model: Model) -> None:
    plain = json.loads(answered(model, ROW)[0])["predictions"][0]
    for body, kind in (({"instances": [ROW], "reasons": True}, JSON), (ROW, f"{JSON}; reasons=true")):
        entry = json.loads(answered(model, body, kind)[0])["predictions"][0]
        assert {name: value for name, value in entry.items() if name not in ("expected", "reasons")} == plain
        values = {reason["feature"].split(" + ")[0]: reason["value"] for reason in entry["reasons"]}
        assert values.get("area", 60.0) == 60.0
        assert str(values.get("rooms", 2)) == "2"  # a whole number, as it was sent
        assert values.get("district", "south") == "south"
    assert not {"expected", "reasons"} & set(plain)


def test_what_cannot_have_reasons_is_refused(model: Model) -> None:
    asking = {"instances": [ROW], "reasons": True}
    refused = answered(model, asking, accept="text/csv")
    assert (refused.status_code, refused.get_data(as_text=True)) == (
        406,
        "text/csv cannot hold reasons: accept application/json.",
    )
    most = {**asking, "instances": [ROW] * (MOST_ROWS + 1)}
    refused = answered(model, most)
    assert (refused.status_code, "at most 100 rows of a request, and it has 101" in refused.get_data(as_text=True)) == (
        400,
        True,
    )
    assert len(json.loads(answered(model, {**most, "instances": [ROW] * MOST_ROWS})[0])["predictions"]) == MOST_ROWS
    older = replace(model, metadata={name: value for name, value in model.metadata.items() if name != METADATA})
    assert answered(older, ROW)
    assert answered(older, asking).get_data(as_text=True).startswith("The model is older than reasons")
