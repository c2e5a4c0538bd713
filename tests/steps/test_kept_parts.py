"""A result that was kept is found by what it follows from, and by nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from steps.judged import Judged
from steps.kept_parts import KeptFolders, KeptParts
from steps.settings import JobSettings
from steps.validation_settings import Expectation

TYPES = [["area", "float64"], ["district", "object"]]
RULES = (Expectation("expect_column_values_to_be_between", {"column": "area", "min_value": 5}),)
DIGEST = "0" * 64


def of(folder: Path, settings: JobSettings, rules: tuple[Expectation, ...] = RULES) -> KeptParts:
    return KeptParts(KeptFolders(folder, folder), settings, rules)


@pytest.fixture
def judged() -> Judged:
    table = pd.DataFrame(
        {
            "area": [12.5, np.nan],
            "rooms": [2, 3],
            "district": [None, None],
            "signed": pd.to_datetime(["2024-01-01", None]),
        }
    )
    return Judged({"a.csv": 2}, table, [np.array([1])], {0: "one field too many"}, {"area": {1: "big"}})


def test_what_is_kept_is_what_was_judged(tmp_path: Path, settings: JobSettings, judged: Judged) -> None:
    of(tmp_path, settings).keep(DIGEST, TYPES, judged)
    kept = of(tmp_path, settings)
    found = kept.find("renamed.csv", DIGEST)
    assert found is not None
    types, again = found
    assert (types, again.files) == (TYPES, {"renamed.csv": 2})
    pd.testing.assert_frame_equal(again.table, judged.table)
    assert [rows.tolist() for rows in again.unexpected] == [[1]]
    assert (again.broken, again.unreadable) == (judged.broken, judged.unreadable)
    assert kept.find("a.csv", "1" * 64) is None


def test_other_rules_columns_code_or_libraries_find_nothing(
    tmp_path: Path, document: dict[str, Any], judged: Judged, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = JobSettings.from_json(document)
    of(tmp_path, settings).keep(DIGEST, TYPES, judged)
    assert of(tmp_path, settings).find("a.csv", DIGEST)
    stricter = Expectation("expect_column_values_to_be_between", {"column": "area", "min_value": 6})
    assert of(tmp_path, settings, (stricter,)).find("a.csv", DIGEST) is None
    document["data"]["columns"]["flat"]["width"] = 5
    assert of(tmp_path, JobSettings.from_json(document)).find("a.csv", DIGEST) is None
    with monkeypatch.context() as other:
        other.setattr("steps.kept_parts.identity", lambda _folder: "other code")
        assert of(tmp_path, settings).find("a.csv", DIGEST) is None
    monkeypatch.setattr("steps.kept_parts.version", lambda _library: "0")
    assert of(tmp_path, settings).find("a.csv", DIGEST) is None


@pytest.mark.parametrize("damage", [lambda content: content[:-100], lambda content: content[:-1] + b"2"])
def test_a_damaged_result_is_ignored_with_a_sentence(
    tmp_path: Path, settings: JobSettings, judged: Judged, damage: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    of(tmp_path, settings).keep(DIGEST, TYPES, judged)
    (path,) = tmp_path.iterdir()
    path.write_bytes(damage(path.read_bytes()))
    assert of(tmp_path, settings).find("a.csv", DIGEST) is None
    assert capsys.readouterr().out == (
        f"What is kept of a.csv is ignored, and it is judged again: {path.name} is damaged\n"
    )
