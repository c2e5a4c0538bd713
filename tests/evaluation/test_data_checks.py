"""Each leak and each drift that is put into the data is found; sound data is left alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from evaluation.data_checks import Parts, check_data, refuse_severe
from evaluation.drift import area_under_curve, population_stability
from steps.failure import JobError
from steps.settings import Column, DataSettings, JobSettings, SplitSettings

DATA = DataSettings(
    file="x.csv",
    target="rent",
    identity=("flat", "signed"),
    group=("flat",),
    date="signed",
    columns={
        "flat": Column(type="text", feature=False),
        "signed": Column(type="date"),
        "rent": Column(type="number"),
        "size": Column(type="number"),
        "kind": Column(type="category"),
    },
)
SETTINGS = JobSettings(data=DATA)
BY_TIME = replace(SETTINGS, split=SplitSettings(by="time"))


def flats(first: int, count: int, seed: int, since: str = "2024-01-01") -> pd.DataFrame:
    random = np.random.default_rng(seed)
    size = random.uniform(20, 120, count)
    signed = pd.Timestamp(since) + pd.to_timedelta(random.integers(0, 300, count), unit="D")
    kind = random.choice(["a", "b", "c"], count)
    rent = 10 * size + random.normal(0, 100, count)
    flat = [str(number) for number in range(first, first + count)]
    return pd.DataFrame({"flat": flat, "signed": signed, "rent": rent, "size": size, "kind": kind})


def parts(train: pd.DataFrame, test: pd.DataFrame, **features: np.ndarray) -> Parts:
    table = pd.DataFrame({"size": test["size"].to_numpy(), **features})
    return Parts(train, test, table, test["rent"].to_numpy())


def severities(found: Parts, settings: JobSettings = SETTINGS) -> dict[str, str]:
    return {finding.check: finding.severity for finding in check_data(found, settings)}


TRAIN, TEST = flats(0, 1500, 1), flats(2000, 600, 2)


def test_sound_data_has_no_finding() -> None:
    assert set(severities(parts(TRAIN, TEST)).values()) == {"ok"}
    refuse_severe(check_data(parts(TRAIN, TEST), SETTINGS))


def test_same_entity_on_both_sides_is_severe_in_a_hash_split_and_told_in_a_split_by_time() -> None:
    shared = TEST.assign(flat=[*TRAIN["flat"][:5], *TEST["flat"][5:]])
    assert severities(parts(TRAIN, shared))["same entity"] == "severe"
    later = flats(2000, 600, 2, since="2025-06-01").assign(flat=shared["flat"])
    assert severities(parts(TRAIN, later), BY_TIME)["same entity"] == "warning"
    with pytest.raises(JobError, match="cannot be trusted: 5 of 600 test rows share flat with a training row"):
        refuse_severe(check_data(parts(TRAIN, shared), SETTINGS))


def test_copies_under_another_identity_are_found() -> None:
    values = ["rent", "size", "kind"]
    few, many = TEST.copy(), TEST.copy()
    few.loc[:2, values] = TRAIN.loc[:2, values].to_numpy()
    many.loc[:50, values] = TRAIN.loc[:50, values].to_numpy()
    few, many = (table.astype({"rent": float, "size": float}) for table in (few, many))
    assert severities(parts(TRAIN, few))["copied rows"] == "warning"
    assert severities(parts(TRAIN, many))["copied rows"] == "severe"


def test_rows_that_differ_in_a_feature_of_their_identity_are_no_copies() -> None:
    """A price list of two sizes and three kinds: what names a row is what the model sees."""
    columns = {name: column for name, column in DATA.columns.items() if name in ("rent", "size", "kind")}
    settings = JobSettings(data=DataSettings(file="x.csv", target="rent", identity=("size",), columns=columns))
    train, test = (table[list(columns)].assign(rent=table["size"].round(-2)) for table in (TRAIN, TEST))
    assert severities(parts(train, test), settings)["copied rows"] == "ok"


def test_without_an_identity_no_row_is_said_to_be_another() -> None:
    settings = replace(SETTINGS, data=replace(DATA, identity=(), group=()))
    assert severities(parts(TRAIN, TEST), settings)["same entity"] == "ok"


def test_rows_that_are_there_twice_are_told() -> None:
    doubled = pd.concat([TRAIN, TRAIN.head(100).assign(flat=[f"x{n}" for n in range(100)])], ignore_index=True)
    assert severities(parts(doubled, TEST))["duplicated rows"] == "warning"


def test_split_by_time_that_looks_ahead_is_severe() -> None:
    assert severities(parts(TRAIN, TEST), BY_TIME)["time order"] == "severe"
    assert severities(parts(TRAIN, flats(2000, 600, 2, since="2025-06-01")), BY_TIME)["time order"] == "ok"


def test_feature_that_holds_the_target_is_severe() -> None:
    leak = TEST["rent"].to_numpy() * 0.8 + 3
    found = next(f for f in check_data(parts(TRAIN, TEST, tax=leak), SETTINGS) if f.check == "telling features")
    assert found.severity == "severe"
    assert "tax" in found.text
    hint = TEST["rent"].to_numpy() + np.random.default_rng(0).normal(0, 60, len(TEST))
    assert severities(parts(TRAIN, TEST, deposit=hint))["telling features"] == "warning"


def test_drift_is_seen_by_column_and_by_the_classifier() -> None:
    moved = TEST.assign(size=TEST["size"] + 40)
    found = severities(parts(TRAIN, moved))
    assert found["drift by column"] == "warning"
    assert found["adversarial validation"] == "warning"


def test_stability_index_is_that_of_its_definition() -> None:
    reference, current = pd.Series(["a"] * 50 + ["b"] * 50), pd.Series(["a"] * 80 + ["b"] * 20)
    expected = 0.3 * np.log(0.8 / 0.5) - 0.3 * np.log(0.2 / 0.5)
    assert population_stability(reference, current) == pytest.approx(expected, rel=0.02)
    numbers = pd.Series(np.arange(1000.0))
    assert population_stability(numbers, numbers) == pytest.approx(0, abs=1e-6)
    assert population_stability(numbers, pd.Series([np.nan] * 1000)) > 1


def test_area_under_the_curve() -> None:
    label = np.array([0.0, 0.0, 1.0, 1.0])
    assert area_under_curve(label, np.array([0.1, 0.2, 0.3, 0.4])) == 1
    assert area_under_curve(label, np.array([0.1, 0.4, 0.3, 0.2])) == 0.5
    assert area_under_curve(label, np.ones(4)) == 0.5
