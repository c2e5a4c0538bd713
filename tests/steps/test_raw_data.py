"""A data file that cannot be used is refused with the thing, the place and the fix."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from steps.failure import JobError
from steps.raw_data import find_file, read_file, typed
from steps.settings import JobSettings


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
        (b"PAR1 and no more", "not a sound CSV or Parquet file"),
        (b"a,b\n1,2\n3,4,5\n", "not a sound CSV"),
        (b"a,b\n1,2,3\n3,4,5\n", "more fields than its header"),
    ],
)
def test_unreadable_file(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "x.csv").write_bytes(content)
    with pytest.raises(JobError, match=f"x.csv.*{message}|{message}.*x.csv|rows of x.csv have {message}"):
        read_file(tmp_path / "x.csv")


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
