"""A model tells which training rows are most like a predicted one, what they cost and what differs."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from steps import features as feature_module
from steps import serve
from steps.columns import columns_of
from steps.comparables import MOST_ROWS, Comparables, carried
from steps.failure import JobError
from steps.model import Model, load
from steps.preprocess import preprocess
from steps.settings import JobSettings
from steps.train import main
from tests.steps.conftest import channels

pytestmark = pytest.mark.e2e

ROW = {"signed": "2024-03-01", "area": 60.0, "rooms": 2, "lift": True, "district": "south"}
JSON, CSV = "application/json", "text/csv"


@pytest.fixture(scope="module", name="settings_with")
def settings_with_comparables() -> JobSettings:
    from tests.steps.conftest import DOCUMENT

    document = json.loads(json.dumps(DOCUMENT))
    document["data"]["comparables"] = {"count": 4, "show": ["flat", "signed"]}
    return JobSettings.from_json(document)


@pytest.fixture(name="told")
def a_model_with_comparables(settings_with: JobSettings, typed_rents: pd.DataFrame, tmp_path: Path, made: Any) -> Model:
    def make(folder: Path) -> None:
        for name in ("rows", "out"):
            (folder / name).mkdir()
        typed_rents.to_parquet(folder / "rows" / "data.parquet", index=False)
        preprocess(folder / "rows", folder / "out", settings_with)
        main([*channels(folder / "out"), "--model_dir", str(folder / "model"), "--rounds", "40"])

    return load(Path(shutil.copytree(made("comparables", make) / "model", tmp_path / "told" / "model")))


def found_for(model: Model, rows: pd.DataFrame) -> list[list[dict[str, Any]]]:
    assert model.comparables is not None
    types = {name: column.type for name, column in model.features.inputs.items()}
    return model.comparables.of(columns_of(rows, types, types), len(rows), model.features)


def test_a_training_row_is_most_like_itself_and_says_what_it_was(told: Model) -> None:
    assert told.comparables is not None
    row = told.comparables.rows.iloc[[7]]
    (nearest, *others) = found_for(told, row)[0]
    assert nearest["rent"] == row["rent"].iloc[0]
    assert (nearest["flat"], nearest["signed"]) == (row["flat"].iloc[0], str(row["signed"].iloc[0].date()))
    assert nearest["differs"] == {}
    assert len(others) == 3
    assert all(other["differs"] for other in others)


def test_what_differs_is_told_for_both_by_what_moves_the_prediction_most(told: Model) -> None:
    row = told.comparables.rows.iloc[[7]].assign(area=61.5, rooms=pd.NA, lift=True)  # type: ignore[union-attr]
    differs = found_for(told, row)[0][3]["differs"]
    assert list(differs)[-1] == "signed"  # which the model does not see itself
    for name, each in differs.items():
        assert set(each) == {"here", "there"}
        assert each["here"] != each["there"], name
    assert json.loads(json.dumps(differs)) == differs
    assert all(isinstance(each["there"], int) for name, each in differs.items() if name == "rooms" and each["there"])
    assert differs["rooms"]["here"] is None


def test_rows_are_alike_in_what_matters_to_the_model(told: Model) -> None:
    """A feature without weight makes no row unlike another."""
    assert told.comparables is not None
    alone = replace(told.comparables, weights={name: float(name == "area") for name in told.comparables.weights})
    row = told.comparables.rows.iloc[[7]]
    found = found_for(replace(told, comparables=alone), row)[0]
    areas = np.sort(np.abs(told.comparables.rows["area"].to_numpy(dtype=float) - float(row["area"].iloc[0])))[:4]
    there = [each["differs"].get("area", {"there": row["area"].iloc[0]})["there"] for each in found]
    assert np.abs(np.array(there) - float(row["area"].iloc[0])) == pytest.approx(areas)


def test_the_weights_follow_what_moves_the_prediction(told: Model) -> None:
    assert told.comparables is not None
    table = feature_module.transform(told.comparables.rows, told.features)
    spread = {name: float((table[name] - table[name].mean()).abs().mean()) for name in ("area", "lift")}
    moved = {name: told.comparables.weights[name] * spread[name] for name in spread}
    assert moved["area"] > 3 * moved["lift"]


def test_the_file_is_part_of_the_model_and_of_its_identity(told: Model, model_folder: Path, tmp_path: Path) -> None:
    names = {path.name for path in (tmp_path / "told" / "model").iterdir()}
    assert {"comparables.parquet", "comparables.json"} <= names
    assert load(model_folder).comparables is None
    kept = told.comparables
    assert kept is not None
    assert Comparables.from_json(json.loads(json.dumps(kept.to_json())), kept.content) == kept


def test_a_model_carries_an_even_draw_of_many_rows() -> None:
    rows = pd.DataFrame({"x": np.arange(3 * MOST_ROWS), "y": 1})
    found = carried(rows, ["x", "x"])
    assert list(found.columns) == ["x"]
    assert len(found) == MOST_ROWS
    assert (found["x"].iloc[0], found["x"].iloc[-1]) == (0, 3 * MOST_ROWS - 1)
    assert len(carried(rows.head(5), ["x"])) == 5


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ({"count": 0}, "count is 0: it must be from 1 to 20"),
        ({"count": 21}, "count is 21"),
        ({"show": ["flet"]}, r"data\.comparables\.show: flet is not a column; did you mean flat"),
        ({"show": ["flat"], "personal": True}, r"data\.comparables\.show: flat is personal"),
        ({"shows": []}, "shows"),
    ],
)
def test_settings_that_cannot_be_kept_are_refused(
    document: dict[str, Any], told: dict[str, Any], sentence: str
) -> None:
    if told.pop("personal", False):
        document["data"]["personal"] = ["flat"]
    document["data"]["comparables"] = told
    with pytest.raises(JobError, match=sentence):
        JobSettings.from_json(document)


def test_the_endpoint_tells_them_on_request(told: Model, tmp_path: Path) -> None:
    model = serve.model_fn(str(tmp_path / "told" / "model"))
    plain, asked = (
        json.loads(serve.output_fn(serve.predict_fn((json.dumps(ROW), content_type), model), None)[0])  # type: ignore[index]
        for content_type in (JSON, f"{JSON}; comparables=true")
    )
    (row,) = asked["predictions"]
    found = row.pop("comparables")
    assert asked == plain
    assert [set(each) for each in found] == [{"rent", "flat", "signed", "differs"}] * 4
    body = json.dumps({"instances": [ROW, ROW], "comparables": True})
    both = json.loads(serve.output_fn(serve.predict_fn((body, JSON), model), None)[0])  # type: ignore[index]
    assert [each["comparables"] for each in both["predictions"]] == [found, found]
    refused: Any = serve.output_fn(serve.predict_fn((body, JSON), model), CSV)
    assert refused.status_code == 406
    assert refused.get_data(as_text=True) == "text/csv cannot hold comparable rows: accept application/json."


def test_a_model_that_carries_none_says_so(model_folder: Path) -> None:
    refused = serve.predict_fn((json.dumps(ROW), f"{JSON}; comparables=true"), serve.model_fn(str(model_folder)))
    assert refused == serve.Refusal(
        "The model carries no comparable rows: train it with data.comparables in the YAML.", 400
    )
