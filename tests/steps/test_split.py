"""The split is the same every time, and no row's side depends on other rows."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import Literal

import numpy as np
import pandas as pd
import pytest

from steps.failure import JobError
from steps.settings import Column, DataSettings, JobSettings, SplitSettings
from steps.split import hash_position, row_keys, split

POSITION = 0.39787094497196573
COLUMN = Column(type="number")


def test_hash_split_divides_all_rows_by_the_shares(typed_rents: pd.DataFrame, settings: JobSettings) -> None:
    parts = split(typed_rents, settings.data, settings.split)
    flats = [set(part["flat"]) for part in parts.values()]
    assert sum(len(part) for part in parts.values()) == len(set.union(*flats)) == len(typed_rents)
    assert len(parts["test"]) / len(typed_rents) == pytest.approx(0.2, abs=0.05)
    assert len(parts["validation"]) / len(typed_rents) == pytest.approx(0.1, abs=0.04)


def test_side_of_a_row_does_not_depend_on_the_others(typed_rents: pd.DataFrame, settings: JobSettings) -> None:
    whole = split(typed_rents, settings.data, settings.split)
    fewer = split(typed_rents.sample(frac=0.5, random_state=1), settings.data, settings.split)
    for name, part in fewer.items():
        assert set(part["flat"]) <= set(whole[name]["flat"])


def test_rows_of_one_group_stay_together(typed_rents: pd.DataFrame, settings: JobSettings) -> None:
    again = typed_rents.assign(signed=typed_rents["signed"] + pd.Timedelta(days=400))
    parts = split(pd.concat([typed_rents, again]), settings.data, settings.split)
    assert not set(parts["test"]["flat"]) & (set(parts["train"]["flat"]) | set(parts["validation"]["flat"]))


def test_seed_gives_another_split(typed_rents: pd.DataFrame) -> None:
    first, second = (hash_position(typed_rents, ("flat",), seed) for seed in (0, 1))
    assert (first != second).all()


def test_position_is_fixed_for_ever() -> None:
    # SHA-256 of "0\x1f0001", by hand: a change would silently reshuffle every data set.
    position = hash_position(pd.DataFrame({"flat": ["0001"]}), ("flat",), 0)
    assert position[0] == pytest.approx(POSITION, abs=1e-15)


def test_keys_of_every_type_are_hashed_as_their_texts() -> None:
    """As SHA-256 has it, of the texts that this table writes out."""
    rows = pd.DataFrame(
        {
            "text": ["a", None, "a"],
            "day": pd.to_datetime(["2024-02-01", None, "2024-02-01"]),
            "whole": [3, -4, 3],
            "gaps": [3.0, np.nan, -0.0],
            "number": [0.5, 1e20, 3.0],
        }
    )
    texts = ["a 2024-02-01 3 3 0.5", "None NaT -4 nan 100000000000000000000", "a 2024-02-01 3 0 3"]
    expected = [sha256("\x1f".join(["7", *text.split()]).encode()).digest()[:8] for text in texts]
    found = hash_position(rows, tuple(rows), 7)
    assert found.tolist() == [int.from_bytes(first, "big") / 2.0**64 for first in expected]


def test_the_side_of_a_row_is_the_same_from_however_many_processes(
    typed_rents: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = ("flat", "signed", "area")
    whole = hash_position(typed_rents, keys, 0)
    monkeypatch.setattr("steps.split.ROWS_AT_ONCE", 70)
    monkeypatch.setattr("steps.workers.cores", lambda: 2)
    assert (hash_position(typed_rents, keys, 0) == whole).all()


def test_time_split_keeps_the_newest_days_for_the_test(typed_rents: pd.DataFrame, settings: JobSettings) -> None:
    parts = split(typed_rents, settings.data, SplitSettings(by="time"))
    older = pd.concat([parts["train"], parts["validation"]])["signed"].max()
    assert parts["test"]["signed"].min() > older
    assert len(parts["test"]) / len(typed_rents) == pytest.approx(0.2, abs=0.02)
    assert len(parts["validation"]) / len(typed_rents) == pytest.approx(0.1, abs=0.04)


def test_empty_part_is_refused(typed_rents: pd.DataFrame, settings: JobSettings) -> None:
    with pytest.raises(JobError, match="part has no rows: 2 rows are too few"):
        split(typed_rents.head(2), settings.data, replace(settings.split, by="time"))


def numbered(dates: list[str]) -> tuple[pd.DataFrame, DataSettings]:
    """Rows with a number each, and their data settings; the positions of the rows are set by the test."""
    rows = pd.DataFrame({"number": [str(n) for n in range(len(dates))], "date": pd.to_datetime(dates)})
    columns = {"number": Column(type="text"), "date": Column(type="date"), "size": COLUMN, "cost": COLUMN}
    return rows, DataSettings(file="x", target="cost", identity=("number",), date="date", columns=columns)


def test_a_row_at_the_end_of_a_share_is_in_the_next_part(monkeypatch: pytest.MonkeyPatch) -> None:
    below = np.nextafter(0.25, 0), np.nextafter(0.5, 0)
    positions = np.array([0.0, below[0], 0.25, below[1], 0.5, 0.99])
    monkeypatch.setattr("steps.split.hash_position", lambda *_: positions)
    rows, data = numbered(["2026-01-01"] * 6)
    parts = split(rows, data, SplitSettings(by="hash", test=0.25, validation=0.25))
    assert all(list(part.columns) == list(rows.columns) for part in parts.values())
    assert {name: list(part["number"]) for name, part in parts.items()} == {
        "test": ["0", "1"],
        "validation": ["2", "3"],
        "train": ["4", "5"],
    }


def test_the_day_on_which_the_test_part_begins_is_in_it_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    positions = np.array([0.0, np.nextafter(0.5, 0), 0.5, 0.9, 0.0, 0.9, 0.9, 0.0])
    monkeypatch.setattr("steps.split.hash_position", lambda *_: positions)
    settings = SplitSettings(by="time", test=0.25, validation=0.375)
    days = [f"2026-01-0{day}" for day in (1, 2, 3, 4, 5, 6, 7, 8)]
    rows, data = numbered(days)
    parts = split(rows, data, settings)
    assert list(parts["test"]["number"]) == ["6", "7"]
    assert list(parts["validation"]["number"]) == ["0", "1", "4"]  # half of what is left: 0.375 of 0.75
    rows, data = numbered([*days[:5], *["2026-01-06"] * 3])
    assert list(split(rows, data, settings)["test"]["number"]) == ["5", "6", "7"]


def test_a_reserve_by_hash_takes_rows_from_training_only(typed_rents: pd.DataFrame, settings: JobSettings) -> None:
    without = split(typed_rents, settings.data, settings.split)
    parts = split(typed_rents, settings.data, replace(settings.split, reserve=0.2))
    assert len(parts["reserve"]) / len(typed_rents) == pytest.approx(0.2, abs=0.05)
    for name in ("test", "validation"):
        pd.testing.assert_frame_equal(parts[name], without[name])
    assert set(parts["train"]["flat"]) | set(parts["reserve"]["flat"]) == set(without["train"]["flat"])
    assert not set(parts["train"]["flat"]) & set(parts["reserve"]["flat"])


def test_a_reserve_by_time_shares_the_newest_days_with_the_test_part(monkeypatch: pytest.MonkeyPatch) -> None:
    positions = np.array([0.0, 0.9, 0.0, 0.9, np.nextafter(0.5, 0), 0.5, 0.0, 0.9])
    monkeypatch.setattr("steps.split.hash_position", lambda *_: positions)
    rows, data = numbered([f"2026-01-0{day}" for day in (1, 2, 3, 4, 5, 6, 7, 8)])
    parts = split(rows, data, SplitSettings(by="time", test=0.25, validation=0.25, reserve=0.25))
    assert {name: list(part["number"]) for name, part in parts.items()} == {
        "train": ["1", "3"],
        "validation": ["0", "2"],
        "test": ["4", "6"],
        "reserve": ["5", "7"],
    }


@pytest.mark.parametrize("by", ["hash", "time"])
def test_without_a_reserve_no_row_is_kept_back(monkeypatch: pytest.MonkeyPatch, by: Literal["hash", "time"]) -> None:
    monkeypatch.setattr("steps.split.hash_position", lambda *_: np.array([0.0, 0.4, 0.9, 1.0]))  # 1.0: as it is rounded
    rows, data = numbered(["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04"])
    parts = split(rows, data, SplitSettings(by=by, test=0.25, validation=0.3))
    assert set(parts) == {"train", "validation", "test"}
    assert sum(map(len, parts.values())) == 4


@pytest.mark.parametrize(
    ("shares", "said"),
    [
        ({"reserve": -0.1}, r"split\.reserve is -0\.1: it must be between 0 and 1"),
        ({"reserve": 1.0}, r"split\.reserve is 1\.0"),
        (
            {"test": 0.5, "validation": 0.25, "reserve": 0.25},
            r"split\.test, split\.validation and split\.reserve sum to 1",
        ),
    ],
)
def test_shares_that_leave_nothing_to_train_on_are_refused(shares: dict[str, float], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        SplitSettings(**shares)


def test_a_row_is_known_by_its_identity_alone_and_by_all_columns_where_it_has_none(
    typed_rents: pd.DataFrame, settings: JobSettings
) -> None:
    dearer = typed_rents.assign(rent=typed_rents["rent"] + 1)
    keys = row_keys(typed_rents, settings.data)
    assert len(set(keys)) == len(typed_rents)
    assert (row_keys(dearer, settings.data) == keys).all()
    nameless = replace(settings.data, identity=())
    assert (row_keys(dearer, nameless) != row_keys(typed_rents, nameless)).all()
    assert (row_keys(typed_rents, nameless) == row_keys(typed_rents.copy(), nameless)).all()
