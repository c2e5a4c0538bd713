"""What Preprocess has found of the rows is what Evaluate reports, as long as it is of the same rows."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from steps.data_checks import check_parts
from steps.kept_findings import CHECKS, kept_findings
from steps.preprocess import preprocess
from steps.row_source import stored_rows
from steps.settings import JobSettings, SplitSettings

Files = tuple[Path, Path]


@pytest.fixture
def files(typed_rents: pd.DataFrame, settings: JobSettings, tmp_path: Path) -> Files:
    (tmp_path / "validated").mkdir()
    typed_rents.to_parquet(tmp_path / "validated" / "data.parquet", index=False)
    preprocess(tmp_path / "validated", tmp_path / "out", settings)
    return tmp_path / "out" / "rows" / "rows.parquet", tmp_path / "out" / "test" / "test.parquet"


def test_what_is_kept_is_what_the_checks_say_of_the_two_files(files: Files, settings: JobSettings) -> None:
    assert kept_findings(*files, settings) == check_parts(*map(stored_rows, files), settings)


def changed_rows(place: int) -> Callable[[Files, JobSettings], JobSettings]:
    def change(files: Files, settings: JobSettings) -> JobSettings:
        table = pd.read_parquet(files[place])
        table.iloc[1:].to_parquet(files[place], index=False)
        return settings

    return change


def another_split(files: Files, settings: JobSettings) -> JobSettings:
    return replace(settings, split=SplitSettings(by="time"))


def another_column(files: Files, settings: JobSettings) -> JobSettings:
    columns = dict(settings.data.columns)
    name = next(name for name in columns if name not in (settings.data.target, *settings.data.identity))
    columns[name] = replace(columns[name], feature=not columns[name].feature)
    return replace(settings, data=replace(settings.data, columns=columns))


def no_file(files: Files, settings: JobSettings) -> JobSettings:
    (files[0].parent / CHECKS).unlink()
    return settings


@pytest.mark.parametrize("change", [changed_rows(0), changed_rows(1), another_split, another_column, no_file])
def test_nothing_is_known_of_other_rows_and_by_other_settings(
    files: Files, settings: JobSettings, change: Callable[[Files, JobSettings], JobSettings]
) -> None:
    assert kept_findings(*files, change(files, settings)) is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:-30],
        lambda text: "[]",
        lambda text: text.replace('"check"', '"x"'),
        lambda text: text.replace('"ok"', '"warning"'),
        lambda text: text.replace('"findings"', '"found"'),
        lambda text: "[" * 100_000,
    ],
)
def test_a_damaged_file_is_told_and_the_rows_are_checked_again(
    files: Files, settings: JobSettings, damage: Callable[[str], str], capsys: pytest.CaptureFixture[str]
) -> None:
    path = files[0].parent / CHECKS
    path.write_text(damage(path.read_text()))
    assert kept_findings(*files, settings) is None
    assert "_checks.json is ignored, and the rows are checked again" in capsys.readouterr().out


def test_the_file_is_no_data_file(files: Files) -> None:
    assert json.loads((files[0].parent / CHECKS).read_text())["findings"]
    assert [path.name for path in files[0].parent.iterdir() if path.name[0] not in "._"] == ["rows.parquet"]
