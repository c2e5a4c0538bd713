"""A model that was saved predicts the same when it is loaded, and a broken one is named."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from steps.failure import JobError
from steps.model import CANDIDATES, FORMAT_OF_OTHERS, load, save

FILES = ["xgboost.ubj", "linear.json", "interval.ubj", "interval.json", "features.json", "model.json"]


@pytest.mark.e2e
@pytest.mark.parametrize("candidate", CANDIDATES)
def test_saved_model_predicts_the_same(
    model_folder: Path, typed_rents: pd.DataFrame, tmp_path: Path, candidate: str
) -> None:
    model = load(model_folder)
    save(model, tmp_path / "again")
    again = load(tmp_path / "again", threads=1)
    predicted = model.predict(typed_rents, candidate)
    np.testing.assert_array_equal(again.predict(typed_rents, candidate), predicted)
    assert np.mean(np.abs(predicted / typed_rents["rent"] - 1)) < 0.2


@pytest.mark.parametrize("file", FILES)
def test_missing_and_broken_files_are_named(model_folder: Path, file: str) -> None:
    (model_folder / file).write_bytes(b"broken")
    with pytest.raises(JobError, match=file):
        load(model_folder)
    (model_folder / file).unlink()
    with pytest.raises(JobError, match=r"train it again|do not exist"):
        load(model_folder)


@pytest.mark.parametrize("number", [0, FORMAT_OF_OTHERS + 1, None])
def test_a_format_that_this_code_does_not_read_is_named(model_folder: Path, number: int | None) -> None:
    path = model_folder / "model.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": number}))
    with pytest.raises(
        JobError, match=rf"has the format {number}, and this code reads formats up to {FORMAT_OF_OTHERS}"
    ):
        load(model_folder)
