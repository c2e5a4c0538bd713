"""What `check --data` says of a file: where, what stands there, and which line of the YAML to change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipelines.settings.settings import load_settings
from profiling.data_faults import Checked, check_file
from profiling.draft import draft
from profiling.yaml_text import yaml_of
from tests.profiling.test_awkward_files import flats

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def sections(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The settings that init writes of the flats, with levels and an expectation of our own."""
    folder = tmp_path_factory.mktemp("flats")
    flats().to_csv(folder / "flats.csv", index=False)
    text = yaml_of(draft(folder / "flats.csv", None), "flats")
    text = text.replace("town: {type: category}", "town: {type: category, levels: [A, B, C]}")
    rule = {"expectation": "expect_column_values_to_not_be_in_set", "arguments": {"column": "town", "value_set": ["C"]}}
    (folder / "flats.yaml").write_text(text.replace("validation:\n", f"validation:\n  rows: [{rule}]\n"))
    return load_settings(folder / "flats.yaml").for_jobs()


def checked(folder: Path, sections: dict[str, Any], table: pd.DataFrame, **form: Any) -> Checked:
    table.to_csv(folder / "new.csv", index=False, **form)
    return check_file(folder / "new.csv", sections, 0.9)


@pytest.mark.parametrize(
    ("column", "value", "place", "message", "fix"),
    [
        ("price", 5e9, "data.columns.price", "row 3: price must be from", "values, or data.columns.price.range"),
        ("price", None, "data.columns.price", "row 3: price is missing", "nothing can be learned from these rows"),
        ("size", None, "data.columns.size", "row 3: size is missing", "or set data.columns.size.optional to true"),
        ("town", "D", "data.columns.town", "row 3: town must be one of A, B, C (is D)", "or data.columns.town.levels"),
        ("size", "big", "data.columns.size", "row 3: size must be a number (is 'big')", "data.columns.size.type"),
        ("town", "C", "validation.rows.0", "row ", "change the values, or this expectation"),
    ],
)  # fmt: skip
def test_a_value_is_named_with_its_row_and_the_line_to_change(
    tmp_path: Path, sections: dict[str, Any], column: str, value: Any, place: str, message: str, fix: str
) -> None:
    table = flats().astype(object)
    table.loc[2, column] = value
    found = [fault for fault in checked(tmp_path, sections, table).faults if fault.path == place]
    assert any(message in each.message and fix in each.fix for each in found), found


def test_a_column_that_nobody_declared_and_one_that_is_gone_are_told_apart(
    tmp_path: Path, sections: dict[str, Any]
) -> None:
    found = checked(tmp_path, sections, flats().assign(garden=1).drop(columns="rooms"))
    assert {fault.message: fault.fix.partition(",")[0] for fault in found.faults} == {
        "new.csv lacks rooms": "add it to the file",
        "new.csv has the unexpected garden": "declare it in data.columns",
    }
    assert found.rows == 0  # none was judged


def test_a_file_of_another_form_says_what_to_change_once(tmp_path: Path, sections: dict[str, Any]) -> None:
    (fault,) = checked(tmp_path, sections, flats(), sep=";").faults
    assert fault.message == "The fields of new.csv are separated by ';'"
    assert fault.fix == 'set data.format.separator to ";" in the YAML'
