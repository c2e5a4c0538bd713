"""No row disappears silently: accepted or rejected with its reasons, and a failed job explains itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from steps.failure import JobError
from steps.settings import JobSettings
from steps.validate import main, validate


def run(rents: pd.DataFrame, settings: JobSettings, folder: Path) -> dict[str, Any]:
    (folder / "in").mkdir()
    rents.to_csv(folder / "in" / "rents.csv", index=False)
    return validate(folder / "in", folder / "out", settings)


def report(folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / "out" / "report" / "validation.json").read_text())
    return document


def test_rows_are_accepted_or_rejected_with_all_reasons(
    rents: pd.DataFrame, settings: JobSettings, tmp_path: Path
) -> None:
    rents.loc[3, "area"] = 2000.0
    rents.loc[3, "district"] = None
    rents = pd.concat([rents, rents.tail(1)], ignore_index=True)
    counts = run(rents, settings, tmp_path)
    assert counts == {"read": 601, "accepted": 598, "rejected": 3, "rejected_share": 3 / 601}
    rejected = pd.read_csv(tmp_path / "out" / "rejected" / "rejected.csv", dtype={"flat": str})
    assert rejected["row"].tolist() == [4, 600, 601]
    assert rejected["reasons"][0] == "area must be from 5 to 1,000 m2 (is 2000); district is missing"
    assert set(rejected["reasons"][1:]) == {"the contract is in the file more than once"}
    assert rejected["flat"][0] == "0003"
    accepted = pd.read_parquet(tmp_path / "out" / "validated" / "data.parquet")
    assert len(accepted) == 598
    assert report(tmp_path)["status"] == "passed"
    assert "Data validation" in (tmp_path / "out" / "report" / "index.html").read_text()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rents: rents.assign(area=1.0), r"All 600 rows of rents.csv were rejected \(row 1: area must be"),
        (lambda rents: rents.assign(area=rents["area"].where(rents.index > 299, 1)), "300 of 600 .* 50.00% where 20"),
        (lambda rents: rents.head(10), "there must be at least 50 rows, but is 10"),
        (lambda rents: rents.drop(columns="area"), "lacks area"),
        (lambda rents: rents.assign(area="big"), "Column area of rents.csv: row 1 holds 'big'"),
    ],
)
def test_failure_leaves_report_and_rejected_rows_but_no_data(
    rents: pd.DataFrame, settings: JobSettings, tmp_path: Path, change: Any, message: str
) -> None:
    with pytest.raises(JobError, match=message) as failure:
        run(change(rents), settings, tmp_path)
    assert report(tmp_path)["reason"] == str(failure.value)
    assert report(tmp_path)["status"] == "failed"
    rejected = pd.read_csv(tmp_path / "out" / "rejected" / "rejected.csv")
    assert len(rejected) == report(tmp_path)["rows"]["rejected"]
    assert not (tmp_path / "out" / "validated").exists()


def test_command_line(
    rents_folder: Path, settings_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["--input", str(rents_folder), "--output", str(tmp_path / "out"), "--settings", str(settings_file)])
    assert capsys.readouterr().out == "600 rows: 600 accepted, 0 rejected\n"
