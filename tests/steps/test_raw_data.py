"""A data file that cannot be used is refused with the thing, the place and the fix."""

from __future__ import annotations

import gzip
import json
import zipfile
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow.parquet
import pytest

from steps.csv_file import separator_of
from steps.failure import JobError
from steps.prediction_request import read_request
from steps.raw_data import find_file, read_file, read_rows, typed
from steps.settings import Column, JobSettings
from steps.text_format import FileFormat
from tests.steps.conftest import damage


def test_csv_and_parquet_give_the_same_rows(rents: pd.DataFrame, settings: JobSettings, tmp_path: Path) -> None:
    rents.assign(signed=rents["signed"].dt.strftime("%Y%m%dT000000")).to_csv(tmp_path / "a.csv", index=False)
    rents.assign(flat=rents["flat"].astype(int)).to_parquet(tmp_path / "b.parquet")
    columns = settings.data.columns
    from_csv = typed(read_file(tmp_path / "a.csv"), columns, "a.csv")
    from_parquet = typed(read_file(tmp_path / "b.parquet"), columns, "b.parquet")
    pd.testing.assert_frame_equal(from_csv, from_parquet)
    assert from_csv["flat"][7] == "0007"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"\xff\xfe\x00", "neither Parquet nor CSV"),
        (b"PAR1 and no more", "not a valid CSV or Parquet file"),
        (b"PK\x03\x04 and no more", "cannot be unpacked"),
        (b"\x1f\x8b and no more", "cannot be unpacked"),
        (b"price;size\n1;2\n3;4\n", "separated by ';': set data.format.separator to \";\""),
        (b"price\tsize\n1\t2\n3\t4\n", "separated by a tab: set data.format.separator"),
        ("größe,b\n1,2\n".encode("latin-1"), "set data.format.encoding in the YAML, such as cp1252"),
        (b"a,b,a\n1,2,3\n", "has a more than once"),
        (b"a,b\n1,2,3\n3,4,5\n", "more fields than its header"),
    ],
)
def test_unreadable_file(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "x.csv").write_bytes(content)
    with pytest.raises(JobError, match=f"x.csv.*{message}|rows of x.csv have {message}"):
        read_rows(tmp_path / "x.csv")


def test_a_parquet_file_that_is_damaged_behind_a_whole_footer_is_named(rents: pd.DataFrame, tmp_path: Path) -> None:
    rents.to_parquet(tmp_path / "x.parquet")
    damage(tmp_path / "x.parquet")
    with pytest.raises(JobError, match=r"^The data file x\.parquet (cannot be read|is not a valid)"):
        read_rows(tmp_path / "x.parquet")


def test_columns_of_one_name_are_refused_in_parquet_too(tmp_path: Path) -> None:
    column = pyarrow.array([1, 2])
    pyarrow.parquet.write_table(pyarrow.Table.from_arrays([column] * 3, ["a", "b", "a"]), tmp_path / "x.parquet")
    with pytest.raises(JobError, match=r"x\.parquet has a more than once: give each column a name of its own"):
        read_file(tmp_path / "x.parquet")


def test_a_title_above_the_table_is_told_from_a_header_that_is_too_short(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("Sales of 2023\n\na;b\n1;2\n3;4\n5;6\n")
    with pytest.raises(JobError, match=r"more fields than its header: delete the lines above .*, lines 1 to 1\.$"):
        read_rows(tmp_path / "x.csv", FileFormat(separator=";"))
    (tmp_path / "x.csv").write_text("a;b\n1;2;3\n3;4;5\n")
    with pytest.raises(JobError, match=r"more fields than its header: give each field a name, and put a text"):
        read_rows(tmp_path / "x.csv", FileFormat(separator=";"))


def test_a_text_that_excel_was_told_of_is_what_stands_in_it(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text('id,b\n="00123",1\n="00124",2\n')
    assert read_file(tmp_path / "x.csv")["id"].tolist() == ["00123", "00124"]


def test_decimals_of_a_database_are_numbers(tmp_path: Path) -> None:
    table = pd.DataFrame({"a": [None, Decimal("1.50"), Decimal("2")], "b": ["x", "y", None]})
    table.to_parquet(tmp_path / "x.parquet")
    found = read_file(tmp_path / "x.parquet")
    assert found["a"].tolist()[1:] == [1.5, 2.0]
    columns = {"a": Column(type="number", optional=True), "b": Column(type="category", optional=True)}
    assert typed(found, columns, "x.parquet")["a"].tolist()[1:] == [1.5, 2.0]


def test_folder_must_hold_one_file(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="no data file"):
        find_file(tmp_path)
    (tmp_path / "a.csv").touch()
    (tmp_path / ".hidden").touch()
    assert find_file(tmp_path) == tmp_path / "a.csv"
    (tmp_path / "b.csv").touch()
    with pytest.raises(JobError, match=r"2 files \(a.csv and b.csv\)"):
        find_file(tmp_path)
    with pytest.raises(JobError, match="does not exist"):
        find_file(tmp_path / "none")


def test_columns_are_named(rents: pd.DataFrame, settings: JobSettings) -> None:
    columns = settings.data.columns
    with pytest.raises(JobError, match="lacks area;"):
        typed(rents.drop(columns="area"), columns, "x.csv")
    with pytest.raises(JobError, match=r"unexpected aera \(did you mean area\?\)"):
        typed(rents.rename(columns={"area": "aera"}), columns, "x.csv")
    with pytest.raises(JobError, match="area more than once"):
        typed(pd.concat([rents, rents["area"]], axis=1), columns, "x.csv")
    with pytest.raises(JobError, match="no rows"):
        typed(rents.head(0), columns, "x.csv")


def test_wrong_type_names_column_row_and_value(rents: pd.DataFrame, settings: JobSettings) -> None:
    broken = rents.astype({"area": object})
    broken.loc[[4, 9], "area"] = "big"
    with pytest.raises(JobError, match=r"Column area of x.csv: row 5 holds 'big', .* number \(2 such values\)"):
        typed(broken, settings.data.columns, "x.csv")


def test_a_row_with_too_many_fields_is_broken_and_the_others_are_read(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a,b\n1,2\n3,4,5\n\n6\n7,8,\n")
    table, broken = read_rows(tmp_path / "x.csv")
    assert table.to_numpy().tolist() == [["1", "2"], ["3", "4"], ["6", ""], ["7", "8"]]
    assert broken == {1: "the row has 3 fields where the header has 2"}


@pytest.mark.parametrize("hint", ["sep=;\n", "\ufeffSEP=;\r\n", '"sep=;"\n'])
def test_the_line_that_tells_excel_the_separator_is_no_header(tmp_path: Path, hint: str) -> None:
    text = f"{hint}price;size\n1;2\n3;4\n"
    (tmp_path / "x.csv").write_text(text)
    assert separator_of(text.removeprefix("\ufeff")) == ";"
    table, broken = read_rows(tmp_path / "x.csv", FileFormat(separator=";"))
    assert (list(table.columns), len(table), broken) == (["price", "size"], 2, {})


def test_a_separator_at_the_end_of_every_row_is_not_a_field(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a,b\n1,2,\n3,4,\n")
    table, broken = read_rows(tmp_path / "x.csv")
    assert table.to_numpy().tolist() == [["1", "2"], ["3", "4"]]
    assert not broken


def test_the_yaml_says_how_the_file_is_written(tmp_path: Path) -> None:
    text = 'Größe ;"Preis, netto"\n1,5;"7;8"\n'
    for encoding in ("cp1252", "utf-16"):
        (tmp_path / "x.csv").write_bytes(text.encode(encoding))
        table, _ = read_rows(tmp_path / "x.csv", FileFormat(separator=";", encoding=encoding))
        assert table.to_dict("records") == [{"Größe": "1,5", "Preis, netto": "7;8"}]


def test_words_stay_what_they_are(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a,b\nNA,None\n,nan\n")
    assert read_rows(tmp_path / "x.csv")[0].to_numpy().tolist() == [["NA", "None"], ["", "nan"]]


def test_an_index_without_a_name_has_the_name_that_pandas_gives_it(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text('"","size"\n"1",7\n')
    assert list(read_rows(tmp_path / "x.csv")[0]) == ["Unnamed: 0", "size"]


def test_packed_files_are_read(tmp_path: Path) -> None:
    content = b"a,b\n1,2\n"
    (tmp_path / "x.csv.gz").write_bytes(gzip.compress(content))
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("__MACOSX/._x.csv", b"?")
        archive.writestr("data/x.csv", content)
    for name in ("x.csv.gz", "x.zip"):
        assert read_rows(tmp_path / name)[0].to_numpy().tolist() == [["1", "2"]]
    with zipfile.ZipFile(tmp_path / "x.zip", "a") as archive:
        archive.writestr("data/y.csv", content)
    with pytest.raises(JobError, match=r"x.zip holds 2 files \(data/x.csv and data/y.csv\)"):
        read_rows(tmp_path / "x.zip")
    with zipfile.ZipFile(tmp_path / "x.xlsx", "w") as archive:
        archive.writestr("[Content_Types].xml", b"")
    with pytest.raises(JobError, match=r"x\.xlsx is a workbook: save its sheet as CSV"):
        read_rows(tmp_path / "x.xlsx")


def test_a_level_that_is_called_na_is_the_same_level_in_every_form(tmp_path: Path) -> None:
    levels = {"garage": ("Attchd", "NA"), "veneer": ("None", "Stone")}
    columns = {name: Column(type="category", levels=known) for name, known in levels.items()}
    text = "garage,veneer\nAttchd,Stone\nNA,None\n"
    (tmp_path / "x.csv").write_text(text)
    expected = [["Attchd", "Stone"], ["NA", "None"]]
    pd.DataFrame(expected, columns=list(columns)).to_parquet(tmp_path / "x.parquet")
    for name in ("x.csv", "x.parquet"):
        table, _ = read_rows(tmp_path / name)
        assert typed(table, columns, name).to_numpy().tolist() == expected
    requested, _, _ = read_request(text, "text/csv", columns)
    assert [list(row) for row in zip(*requested.values(), strict=True)] == expected
    record = {"garage": "NA", "veneer": "None"}
    requested, _, _ = read_request(json.dumps(record), "application/json", columns)
    assert [list(row) for row in zip(*requested.values(), strict=True)] == expected[1:]
