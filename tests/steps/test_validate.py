"""No row disappears silently: accepted or rejected with its reasons, and a failed job explains itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from steps.failure import JobError
from steps.settings import JobSettings
from steps.split import split
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
        (
            lambda rents: rents.assign(area="big"),
            r"All 600 .* \(row 1: area must be a number \(is 'big'\)\): change the value, or data.columns.area.type",
        ),
        (
            lambda rents: rents.assign(area=rents["area"].map("{:.1f}".format).str.replace(".", ",")),
            "All 600 rows .* set data.columns.area.decimal to",
        ),
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


def test_one_cell_that_cannot_be_read_rejects_its_row_and_not_the_job(
    rents: pd.DataFrame, settings: JobSettings, tmp_path: Path
) -> None:
    rents = rents.astype({"area": object})
    rents.loc[[4, 9], "area"] = ["NA", "99.5 m2"]
    counts = run(rents, settings, tmp_path)
    assert (counts["accepted"], counts["rejected"]) == (598, 2)
    rejected = pd.read_csv(tmp_path / "out" / "rejected" / "rejected.csv", dtype={"flat": str})
    assert rejected["reasons"].tolist() == ["area must be a number (is 'NA')", "area must be a number (is '99.5 m2')"]
    (of_type,) = [each for each in report(tmp_path)["expectations"] if each["expectation"].endswith("of_type")]
    assert of_type["unexpected_rows"] == 2


@pytest.mark.parametrize(("keep", "places"), [("none", [4, 5, 601, 602]), ("first", [601, 602]), ("last", [4, 5])])
def test_of_doubled_rows_one_is_kept_where_the_yaml_says_so(
    rents: pd.DataFrame, document: dict[str, Any], tmp_path: Path, keep: str, places: list[int]
) -> None:
    document["validation"]["rows"][0]["keep"] = keep
    doubled = pd.concat([rents, rents.loc[[3, 4]]], ignore_index=True)
    run(doubled, JobSettings.from_json(document), tmp_path)
    rejected = pd.read_csv(tmp_path / "out" / "rejected" / "rejected.csv")
    assert rejected["row"].tolist() == places


def test_the_first_that_is_kept_is_one_that_fails_nothing_else(
    rents: pd.DataFrame, document: dict[str, Any], tmp_path: Path
) -> None:
    document["validation"]["rows"][0]["keep"] = "first"
    doubled = pd.concat([rents, rents.loc[[3]]], ignore_index=True)
    doubled.loc[3, "area"] = 5000.0
    counts = run(doubled, JobSettings.from_json(document), tmp_path)
    assert counts["rejected"] == 1
    assert pd.read_csv(tmp_path / "out" / "rejected" / "rejected.csv")["row"].tolist() == [4]


def test_without_an_identity_the_data_are_validated_and_split(
    rents: pd.DataFrame, document: dict[str, Any], tmp_path: Path
) -> None:
    del document["data"]["identity"], document["data"]["group"]
    settings = JobSettings.from_json(document)
    run(rents, settings, tmp_path)
    rows = pd.read_parquet(tmp_path / "out" / "validated" / "data.parquet")
    parts = split(rows, settings.data, settings.split)
    assert sum(map(len, parts.values())) == 600
    # A column with a gap is one of floats: no other row may change sides for it.
    changed = rows.astype({"rooms": float}).assign(rooms=lambda t: t["rooms"].where(t.index > 0))
    moved = split(changed, settings.data, settings.split)
    assert set(parts["test"]["flat"][1:]) - {"0000"} == set(moved["test"]["flat"][1:]) - {"0000"}
