"""No row disappears silently: accepted or rejected with its reasons, and a failed job explains itself."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from steps import typed_rows
from steps.data_set import Part
from steps.failure import JobError
from steps.settings import JobSettings
from steps.split import split
from steps.validate import main, validate

pytestmark = pytest.mark.e2e  # importing Great Expectations takes seconds


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


def parts(folder: Path, rents: pd.DataFrame, *ends: int) -> Path:
    """The rows of a table, in a file for each stretch between two ends; CSV and Parquet in turn."""
    folder.mkdir()
    for number, (begin, end) in enumerate(pairwise((0, *ends, len(rents)))):
        table = rents.iloc[begin:end]
        if number % 2:
            table.to_parquet(folder / f"part-{number}.parquet")
        else:
            table.to_csv(folder / f"part-{number}.csv", index=False)
    return folder


def test_many_files_have_the_verdict_of_one(rents: pd.DataFrame, settings: JobSettings, tmp_path: Path) -> None:
    rents.loc[3, "area"] = 2000.0
    rents.loc[250, "district"] = None
    whole = validate(parts(tmp_path / "one", rents), tmp_path / "of-one", settings)
    many = validate(parts(tmp_path / "many", rents, 100, 100, 251, 400), tmp_path / "of-many", settings)
    assert many == whole == {"read": 600, "accepted": 598, "rejected": 2, "rejected_share": 2 / 600}
    accepted = [pd.read_parquet(tmp_path / f"of-{name}" / "validated" / "data.parquet") for name in ("one", "many")]
    pd.testing.assert_frame_equal(*(table.sort_values("flat", ignore_index=True) for table in accepted))
    rejected = pd.read_csv(tmp_path / "of-many" / "rejected" / "rejected.csv")
    assert rejected[["file", "row"]].to_numpy().tolist() == [["part-0.csv", 4], ["part-2.csv", 151]]
    summary = json.loads((tmp_path / "of-many" / "report" / "validation.json").read_text())
    assert summary["file"] == "5 files"
    assert list(summary["files"].values()) == [100, 0, 151, 149, 200]
    assert summary["rejected_by_file"] == {"part-0.csv": 1, "part-2.csv": 1}


def test_a_column_may_be_in_the_names_of_the_folders(
    rents: pd.DataFrame, settings: JobSettings, tmp_path: Path
) -> None:
    for district, rows in rents.groupby("district"):
        folder = tmp_path / "in" / f"district={district}"
        folder.mkdir(parents=True)
        rows.drop(columns="district").to_csv(folder / "part.csv", index=False)
    assert validate(tmp_path / "in", tmp_path / "out", settings)["accepted"] == 600
    accepted = pd.read_parquet(tmp_path / "out" / "validated" / "data.parquet").set_index("flat").sort_index()
    assert accepted["district"].tolist() == rents.set_index("flat").sort_index()["district"].tolist()


def test_a_file_that_does_not_fit_is_named(rents: pd.DataFrame, settings: JobSettings, tmp_path: Path) -> None:
    folder = parts(tmp_path / "in", rents, 300)
    rents.drop(columns="area").to_csv(folder / "late.csv", index=False)
    with pytest.raises(JobError, match=r"late\.csv lacks area"):
        validate(folder, tmp_path / "out", settings)
    for content, words in ((b"PAR1 and no more", "is not a valid CSV or Parquet file"), (b"", "is empty")):
        (folder / "late.csv").write_bytes(content)
        with pytest.raises(JobError, match=rf"late\.csv {words}"):
            validate(folder, tmp_path / "out", settings)


def test_cells_that_cannot_be_read_are_named_in_any_file(
    rents: pd.DataFrame, settings: JobSettings, tmp_path: Path
) -> None:
    rents["area"] = rents["area"].astype(object)
    rents.loc[[5, 305], "area"] = ["big", "small"]
    folder = tmp_path / "in"
    folder.mkdir()
    rents.iloc[:300].to_csv(folder / "a.csv", index=False)
    rents.iloc[300:].to_csv(folder / "b.csv", index=False)
    assert validate(folder, tmp_path / "out", settings)["rejected"] == 2
    rejected = pd.read_csv(tmp_path / "out" / "rejected" / "rejected.csv")
    assert rejected[["file", "row", "reasons"]].to_numpy().tolist() == [
        ["a.csv", 6, "area must be a number (is 'big')"],
        ["b.csv", 6, "area must be a number (is 'small')"],
    ]


def test_a_part_that_says_another_thing_than_its_folder_is_named(
    rents: pd.DataFrame, settings: JobSettings, tmp_path: Path
) -> None:
    for district, rows in rents.groupby("district"):
        folder = tmp_path / "in" / f"district={district}"
        folder.mkdir(parents=True)
        rows.to_csv(folder / "part.csv", index=False)
    assert validate(tmp_path / "in", tmp_path / "out", settings)["accepted"] == 600
    (tmp_path / "in" / "district=north").rename(tmp_path / "in" / "district=west")
    with pytest.raises(
        JobError, match=r"Column district of district=west/part.csv: row 1 holds north, .* district=west"
    ):
        validate(tmp_path / "in", tmp_path / "out", settings)


def test_the_files_whose_rows_are_rejected_are_named(
    rents: pd.DataFrame, settings: JobSettings, tmp_path: Path
) -> None:
    rents["area"] = rents["area"].astype(str)
    rents.loc[400:, "area"] = "big"
    with pytest.raises(JobError, match=r"200 of 600 .*most often: area must be a number, in part-2.csv\): change"):
        validate(parts(tmp_path / "in", rents, 100, 400), tmp_path / "out", settings)
    rents.loc[:150, "area"] = "big"
    with pytest.raises(JobError, match=r"area must be a number, in 4 of 5 files, most of them in part-4.csv\)"):
        validate(parts(tmp_path / "more", rents, 120, 240, 400, 410), tmp_path / "out", settings)


Z_SCORES = {"column": "area", "threshold": 3, "double_sided": True}
EVERY_KIND: list[dict[str, Any]] = [
    {"expectation": "expect_column_values_to_be_unique", "arguments": {"column": "flat"}},
    {
        "expectation": "expect_column_values_to_match_regex",
        "arguments": {"column": "district", "regex": "^(north|old)"},
    },
    {"expectation": "expect_column_value_z_scores_to_be_less_than", "arguments": Z_SCORES},
    {"expectation": "expect_column_values_to_be_between", "arguments": {"column": "rooms", "max_value": 4}},
    {
        "expectation": "expect_compound_columns_to_be_unique",
        "arguments": {"column_list": ["area", "signed"]},
        "keep": "last",
    },
]
OF_THE_TABLE: list[dict[str, Any]] = [
    {"expectation": "expect_column_median_to_be_between", "arguments": {"column": "rent", "min_value": 1}},
    {"expectation": "expect_table_row_count_to_be_between", "arguments": {"min_value": 10}},
    {"expectation": "expect_table_column_count_to_equal", "arguments": {"value": 7}},
    {"expectation": "expect_column_to_exist", "arguments": {"column": "area", "column_index": 3}},
    {"expectation": "expect_column_unique_value_count_to_be_between", "arguments": {"column": "district"}},
    {"expectation": "expect_column_stdev_to_be_between", "arguments": {"column": "area", "min_value": 0}},
]


@pytest.mark.e2e
@pytest.mark.parametrize("files", [1, 3])
def test_batches_give_the_report_and_the_rows_of_the_whole_table(
    rents: pd.DataFrame, document: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: int
) -> None:
    """The whole table at once, as Great Expectations sees it, is the oracle; some batches alone have gaps."""
    document["validation"] |= {"rows": EVERY_KIND, "table": OF_THE_TABLE, "max_rejected_share": 0.99}
    settings = JobSettings.from_json(document)
    rents.loc[:200, "rooms"] = 12345678901
    rents.loc[[1, 300, 599], "area"] = [-5, 5000, np.nan]
    rents.loc[[7, 8], "flat"] = "0009"
    rents["district"] = rents["district"].where(rents.index >= 100)  # a batch without any
    (tmp_path / "in").mkdir()
    for number, rows in enumerate(np.array_split(np.arange(len(rents)), files)):
        rents.iloc[rows].to_csv(tmp_path / "in" / f"{number}.csv", index=False)
    found = []
    for batch in (1 << 18, 83):
        monkeypatch.setattr("steps.batches.ROWS", batch)
        out = tmp_path / str(batch)
        validate(tmp_path / "in", out, settings)
        texts = [(out / path).read_text() for path in ("report/validation.json", "rejected/rejected.csv")]
        found.append((texts, pd.read_parquet(out / "validated" / "data.parquet")))
        assert not list(out.glob(".rows.*"))
    assert found[0][0] == found[1][0]
    pd.testing.assert_frame_equal(found[0][1], found[1][1])
    rejected = pd.read_csv(tmp_path / "83" / "rejected" / "rejected.csv")
    assert {len(found[1][1]) + len(rejected), len(rents)} == {600}


def written(folder: Path) -> dict[str, bytes]:
    """What a job leaves for others, but for what it keeps for itself."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "kept" not in path.relative_to(folder).parts
    }


def test_files_that_are_new_changed_or_badly_kept_are_the_only_ones_that_are_read_and_all_outputs_those_of_a_first_job(
    rents: pd.DataFrame,
    document: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("steps.batches.ROWS", 250)
    document["validation"] |= {"rows": EVERY_KIND, "table": OF_THE_TABLE[3:], "max_rejected_share": 0.99}
    document["validation"]["derived"] = {"per_room": "rent / rooms"}
    settings = JobSettings.from_json(document)
    rents["area"] = rents["area"].astype(object)
    rents.loc[[7, 8], "flat"] = "0009"
    rents.loc[[1, 300, 599], "area"] = [-5, "big", None]
    rents["district"] = rents["district"].where(rents.index >= 100)
    rents["rooms"] = rents["rooms"].where((rents.index < 200) | (rents.index >= 400), 3)  # a file without gaps
    sources, kept, read = tmp_path / "in", tmp_path / "kept", list[str]()
    sources.mkdir()
    for name, begin, end in (("a", 0, 100), ("b", 100, 100), ("c", 200, 400), ("e", 400, 600)):
        rents.iloc[begin:end].to_csv(sources / f"{name}.csv", index=False)
    with (sources / "a.csv").open("a") as file:
        file.write("0600,2024-01-01,1,1,1,1,north,one field too many\n")
    read_part = typed_rows.read_part

    def recorded(part: Part, *options: Any) -> Any:
        read.append(part.name)
        return read_part(part, *options)

    monkeypatch.setattr(typed_rows, "read_part", recorded)
    kept.mkdir()
    validate(sources, tmp_path / "first", settings, kept)
    assert read == ["a.csv", "b.csv", "c.csv", "e.csv"]

    rents.iloc[100:200].to_parquet(sources / "d.parquet", index=False)
    (sources / "c.csv").write_text((sources / "c.csv").read_text().replace("south", "north"))
    (sources / "e.csv").rename(sources / "f.csv")
    for path in (tmp_path / "first" / "kept").iterdir():
        content = path.read_bytes()
        of_a = b'"broken": {"100"' in content
        (kept / path.name).write_bytes(content[:-9] if of_a else content)
    read.clear()
    validate(sources, tmp_path / "second", settings, kept)
    assert read == ["a.csv", "c.csv", "d.parquet"]
    assert capsys.readouterr().out.endswith("2 of 5 files are known from earlier jobs.\n")
    assert len(list((tmp_path / "second" / "kept").iterdir())) == 3
    validate(sources, tmp_path / "from-nothing", settings)
    assert written(tmp_path / "second") == written(tmp_path / "from-nothing")


def test_a_single_file_keeps_nothing(rents_folder: Path, settings: JobSettings, tmp_path: Path) -> None:
    validate(rents_folder, tmp_path / "out", settings, tmp_path)
    assert not (tmp_path / "out" / "kept").exists()


@pytest.fixture
def in_processes(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Let so many processes judge even small files, a few rows at a time."""
    monkeypatch.setattr("steps.batches.ROWS", 150)
    monkeypatch.setattr("steps.data_set.SMALL", 0)

    def choose(processes: int) -> None:
        monkeypatch.setattr("steps.examination.cores", lambda: processes)
        monkeypatch.setattr("steps.workers.cores", lambda: processes)

    return choose


def test_one_process_or_several_leave_the_same_files(
    rents: pd.DataFrame,
    document: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    in_processes: Callable[[int], None],
) -> None:
    document["validation"] |= {"rows": EVERY_KIND, "table": OF_THE_TABLE[3:], "max_rejected_share": 0.99}
    settings = JobSettings.from_json(document)
    rents["area"] = rents["area"].astype(object)
    rents.loc[[1, 300, 599], "area"] = [-5, "big", None]
    rents.loc[[7, 508], "flat"] = "0009"
    source = parts(tmp_path / "in", rents.astype({"area": str}), 90, 310, 420)
    read_part = typed_rows.read_part

    def recorded(*options: Any) -> Any:
        (tmp_path / f"read-by-{os.getpid()}").touch()
        return read_part(*options)

    monkeypatch.setattr(typed_rows, "read_part", recorded)
    for processes in (1, 2):
        in_processes(processes)
        validate(source, tmp_path / f"by-{processes}", settings)
    assert len(list(tmp_path.glob("read-by-*"))) >= 2
    assert written(tmp_path / "by-1") == written(tmp_path / "by-2")


def test_a_part_that_does_not_fit_is_named_by_any_process(
    rents: pd.DataFrame, settings: JobSettings, tmp_path: Path, in_processes: Callable[[int], None]
) -> None:
    source = parts(tmp_path / "in", rents, 200, 400)
    rents.drop(columns="area").to_csv(source / "late.csv", index=False)
    for processes in (1, 2):
        in_processes(processes)
        with pytest.raises(JobError, match=r"late\.csv lacks area"):
            validate(source, tmp_path / f"by-{processes}", settings)
    assert written(tmp_path / "by-1") == written(tmp_path / "by-2")


def test_a_process_that_is_killed_ends_the_job_with_a_sentence(
    rents: pd.DataFrame,
    settings: JobSettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    in_processes: Callable[[int], None],
) -> None:
    in_processes(2)
    source = parts(tmp_path / "in", rents, 200, 400)
    monkeypatch.setattr(typed_rows, "read_part", lambda *_: os.kill(os.getpid(), signal.SIGKILL))
    with pytest.raises(JobError, match="A process of this job was killed"):
        validate(source, tmp_path / "out", settings)
    assert report(tmp_path)["reason"].startswith("A process of this job was killed")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["rejected", "report"]
