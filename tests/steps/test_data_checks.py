"""Each leak that is put into the data is found before anything is trained; sound data is left alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from steps.data_checks import Finding, check_parts, refuse_severe
from steps.failure import JobError
from steps.row_source import InMemory
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


def checked(train: pd.DataFrame, test: pd.DataFrame, settings: JobSettings) -> list[Finding]:
    return check_parts(InMemory(train), InMemory(test), settings)


def severities(train: pd.DataFrame, test: pd.DataFrame, settings: JobSettings = SETTINGS) -> dict[str, str]:
    return {finding.check: finding.severity for finding in checked(train, test, settings)}


def with_column(name: str, column: Column, make: object) -> tuple[pd.DataFrame, pd.DataFrame, JobSettings]:
    """Both parts with one more column, made from each part, and settings that know it."""
    assert callable(make)
    settings = replace(SETTINGS, data=replace(DATA, columns={**DATA.columns, name: column}))
    return TRAIN.assign(**{name: make(TRAIN)}), TEST.assign(**{name: make(TEST)}), settings


def finding(name: str, found: list[Finding]) -> Finding:
    return next(each for each in found if each.check == name)


TRAIN, TEST = flats(0, 1500, 1), flats(2000, 600, 2)
ORDERED = TRAIN["rent"].sort_values()


def test_sound_data_has_no_finding() -> None:
    assert set(severities(TRAIN, TEST).values()) == {"ok"}
    refuse_severe(checked(TRAIN, TEST, SETTINGS))


def test_same_entity_on_both_sides_is_severe_in_a_hash_split_and_told_in_a_split_by_time() -> None:
    shared = TEST.assign(flat=[*TRAIN["flat"][:5], *TEST["flat"][5:]])
    assert severities(TRAIN, shared)["same entity"] == "severe"
    later = flats(2000, 600, 2, since="2025-06-01").assign(flat=shared["flat"])
    assert severities(TRAIN, later, BY_TIME)["same entity"] == "warning"
    with pytest.raises(JobError, match="cannot be trusted: 5 of 600 test rows share flat with a training row"):
        refuse_severe(checked(TRAIN, shared, SETTINGS))


def test_copies_under_another_identity_are_found() -> None:
    values = ["rent", "size", "kind"]
    few, many = TEST.copy(), TEST.copy()
    few.loc[:2, values] = TRAIN.loc[:2, values].to_numpy()
    many.loc[:50, values] = TRAIN.loc[:50, values].to_numpy()
    few, many = (table.astype({"rent": float, "size": float}) for table in (few, many))
    assert severities(TRAIN, few)["copied rows"] == "warning"
    assert severities(TRAIN, many)["copied rows"] == "severe"


def test_rows_that_differ_in_a_feature_of_their_identity_are_no_copies() -> None:
    """What names a row is what the model sees: rows that differ there are other rows."""
    columns = {name: column for name, column in DATA.columns.items() if name in ("rent", "size", "kind")}
    settings = JobSettings(data=DataSettings(file="x.csv", target="rent", identity=("size",), columns=columns))
    train, test = (table[list(columns)].assign(rent=table["size"].round(-1), kind="a") for table in (TRAIN, TEST))
    assert severities(train, test, settings)["copied rows"] == "ok"


def test_without_an_identity_no_row_is_said_to_be_another() -> None:
    settings = replace(SETTINGS, data=replace(DATA, identity=(), group=()))
    assert severities(TRAIN, TEST, settings)["same entity"] == "ok"


def test_rows_that_are_there_twice_are_told() -> None:
    doubled = pd.concat([TRAIN, TRAIN.head(100).assign(flat=[f"x{n}" for n in range(100)])], ignore_index=True)
    assert severities(doubled, TEST)["duplicated rows"] == "warning"


def test_split_by_time_that_looks_ahead_is_severe() -> None:
    assert severities(TRAIN, TEST, BY_TIME)["time order"] == "severe"
    assert severities(TRAIN, flats(2000, 600, 2, since="2025-06-01"), BY_TIME)["time order"] == "ok"


def noise(count: int) -> np.ndarray:
    return np.random.default_rng(count).normal(0, 1, count)


@pytest.mark.parametrize(
    ("check", "name", "column", "make", "severity"),
    [
        ("telling columns", "tax", Column(type="number"), lambda t: t["rent"] * 0.8 + 3, "severe"),
        ("telling columns", "deposit", Column(type="number"), lambda t: t["rent"] + 60 * noise(len(t)), "warning"),
        ("telling columns", "class", Column(type="category"), lambda t: (t["rent"] // 250).astype(str), "severe"),
        ("telling columns", "step", Column(type="integer"), lambda t: t["rent"].floordiv(250), "severe"),
        ("telling columns", "dear", Column(type="boolean"), lambda t: (t["rent"] > 700).astype(float), "severe"),
        ("telling columns", "row", Column(type="integer"), lambda t: ORDERED.searchsorted(t["rent"]), "severe"),
        ("telling columns", "street", Column(type="category"), lambda t: t["flat"].str[-2:], "ok"),
        ("telling pairs", "rent_of_metre", Column(type="number"), lambda t: t["rent"] / t["size"], "severe"),
        ("telling pairs", "rent_times", Column(type="number"), lambda t: t["rent"] * t["size"], "severe"),
        ("telling pairs", "rooms", Column(type="number"), lambda t: (t["size"] // 25) + 1, "ok"),
    ],
)  # fmt: skip
def test_what_holds_the_target_is_found(check: str, name: str, column: Column, make: object, severity: str) -> None:
    found = finding(check, checked(*with_column(name, column, make)))
    assert found.severity == severity, found.text
    if severity == "severe":
        assert name in found.text
        hidden = replace(column, feature=False)
        assert finding(check, checked(*with_column(name, hidden, make))).severity == "ok"


def test_a_derived_feature_can_leak_too() -> None:
    train, test, settings = with_column("fee", Column(type="number", feature=False), lambda t: t["rent"] / 12)
    data = replace(settings.data, derived={"year": "fee * 12"})
    found = finding("telling columns", checked(train, test, replace(settings, data=data)))
    assert found.severity == "severe"
    assert "year" in found.text


def test_a_date_that_is_after_the_rows_own_was_not_known_then() -> None:
    def paid(table: pd.DataFrame) -> pd.Series:
        return table["signed"] + pd.Timedelta(days=30)

    train, test, settings = with_column("paid", Column(type="date"), paid)
    assert severities(train, test, settings)["later dates"] == "ok"  # no feature is made of it
    used = replace(settings, data=replace(settings.data, derived={"days_to_pay": "days(paid)"}))
    assert severities(train, test, used)["later dates"] == "warning"


def test_few_rows_are_no_proof_of_a_leak() -> None:
    assert severities(TRAIN.head(30), TEST.head(20))["telling columns"] == "ok"
