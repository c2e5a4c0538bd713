"""Of several files the names, sizes and order make no difference: to no verdict, no row and no fitted feature."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, strategies
from hypothesis import settings as options

from steps.preprocess import preprocess
from steps.row_order import by_content
from steps.settings import JobSettings
from steps.validate import validate

pytestmark = pytest.mark.e2e


def faulty(rents: pd.DataFrame) -> pd.DataFrame:
    """With rows that are rejected for every kind of reason, and two that say different things of one contract."""
    rents = rents.astype({"area": object})
    rents.loc[[7, 300], "area"] = ["big", 2000.0]
    rents.loc[9, "district"] = None
    again = rents.loc[[20, 21]].assign(rent=[1.0, 2.0])
    return pd.concat([rents, rents.loc[[50]], again], ignore_index=True)


def arranged(rows: pd.DataFrame, order: np.ndarray, ends: list[int], folder: Path) -> Path:
    """The rows in that order, in a file for each stretch between two ends; CSV and Parquet in turn."""
    folder.mkdir()
    for number, places in enumerate(np.split(order, ends)):
        if number % 2:
            table = rows.iloc[places].assign(area=rows["area"].iloc[places].astype(str))
            table.to_parquet(folder / f"part-{number}.parquet", index=False)
        else:
            rows.iloc[places].to_csv(folder / f"part-{number}.csv", index=False)
    return folder


def outcome(source: Path, settings: JobSettings, folder: Path) -> tuple[dict[str, Any], pd.DataFrame, Path]:
    """The part of the report that is not about files, the rejected rows without their places, and all outputs."""
    validate(source, folder, settings)
    preprocess(folder / "validated", folder / "preprocessed", settings)
    report = json.loads((folder / "report" / "validation.json").read_text())
    rejected = pd.read_csv(folder / "rejected" / "rejected.csv", dtype=str)
    rejected = rejected.drop(columns=["file", "row"], errors="ignore").sort_values(["flat", "rent", "reasons"])
    return {name: report[name] for name in ("status", "rows", "expectations")}, rejected.reset_index(drop=True), folder


def produced(folder: Path) -> dict[str, bytes]:
    """The bytes of the validated rows and of all that Preprocess made of them."""
    paths = [folder / "validated" / "data.parquet", *(folder / "preprocessed").rglob("*")]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths if path.is_file()}


@pytest.mark.journey
@options(max_examples=3, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=strategies.integers(0, 2**32 - 1),
    ends=strategies.lists(strategies.integers(0, 603), min_size=1, max_size=30).map(sorted),
    keep=strategies.sampled_from(["none", "first", "last"]),
    batch=strategies.sampled_from([1 << 18, 150]),
)
def test_any_parts_in_any_order_give_the_same(
    rents: pd.DataFrame,
    document: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
    ends: list[int],
    keep: str,
    batch: int,
) -> None:
    monkeypatch.setattr("steps.batches.ROWS", batch)
    document["validation"]["rows"][0]["keep"] = keep
    settings, rows = JobSettings.from_json(document), faulty(rents)
    random = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ways = {
            "one file": (np.arange(len(rows)), []),
            "two": (np.arange(len(rows)), [300]),
            "many": (random.permutation(len(rows)), ends),
        }
        found = {
            way: outcome(arranged(rows, order, cuts, folder / f"{way} in"), settings, folder / f"{way} out")
            for way, (order, cuts) in ways.items()
        }
        assert found["one file"][0] == found["two"][0] == found["many"][0]
        pd.testing.assert_frame_equal(found["two"][1], found["many"][1])
        assert produced(found["two"][2]) == produced(found["many"][2])
        if keep == "none":  # in one file the order says which of several is the first
            pd.testing.assert_frame_equal(found["one file"][1], found["two"][1])
            one, two = (pd.read_parquet(found[way][2] / "validated" / "data.parquet") for way in ("one file", "two"))
            pd.testing.assert_frame_equal(one.iloc[by_content(one)].reset_index(drop=True), two)
            learned = [
                json.loads((found[way][2] / "preprocessed" / "features" / "features.json").read_text())
                for way in ("one file", "two")
            ]
            for each in learned:  # the places of the training rows themselves
                near = each["learned"].pop("rent_of_similar")
                each["places"] = sorted(zip(*near["points"], near["values"], strict=True))
            assert learned[0] == learned[1]


def test_the_order_is_that_of_the_values_alone(typed_rents: pd.DataFrame) -> None:
    turned = typed_rents.iloc[::-1].reset_index(drop=True)
    first, second = (table.iloc[by_content(table)].reset_index(drop=True) for table in (typed_rents, turned))
    pd.testing.assert_frame_equal(first, second)
    assert not first.equals(typed_rents)


def test_a_missing_text_is_not_the_text_none(typed_rents: pd.DataFrame) -> None:
    known = typed_rents.iloc[:1].assign(district="None")
    missing = known.assign(district=None)
    orders = [pd.concat(pair, ignore_index=True) for pair in ((known, missing), (missing, known))]
    first, second = (table.iloc[by_content(table)].reset_index(drop=True) for table in orders)
    pd.testing.assert_frame_equal(first, second)
