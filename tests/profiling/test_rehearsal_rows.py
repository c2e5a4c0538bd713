"""The rows of a rehearsal are an even draw, the same whatever files they lie in, and as they were written."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from profiling import rehearsal_rows
from profiling.errors import DataError
from profiling.rehearsal_rows import draw

ROWS = pd.DataFrame(
    {"flat": [f"{number:04d}" for number in range(300)], "rent": [f"{number},5" for number in range(300)]}
)


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rehearsal_rows, "FEWEST", 20)


def drawn(folder: Path) -> pd.DataFrame:
    found = [pd.read_parquet(path) for path in folder.rglob("*.parquet")]
    return pd.concat(found).sort_values("flat", ignore_index=True)


def test_the_same_rows_whatever_the_files(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two" / "deep").mkdir(parents=True)
    ROWS.to_csv(tmp_path / "one" / "all.csv", index=False)
    ROWS.iloc[200:].to_csv(tmp_path / "two" / "a.csv", index=False)
    ROWS.iloc[:200].to_parquet(tmp_path / "two" / "deep" / "b.parquet", index=False)
    for name in ("one", "two"):
        assert draw(tmp_path / name, tmp_path / f"{name} out", 0.1, None) == (30, 300)
    first, second = (drawn(tmp_path / f"{name} out") for name in ("one", "two"))
    pd.testing.assert_frame_equal(first, second)
    assert set(first["flat"]) < set(ROWS["flat"])  # zeros in front are there
    names = [path.relative_to(tmp_path / "two out").as_posix() for path in (tmp_path / "two out").rglob("*.parquet")]
    assert sorted(names) == ["a.csv.parquet", "deep/b.parquet"]


@pytest.mark.parametrize(("share", "rows"), [(0.0001, 20), (0.5, 150), (1.0, 300)])
def test_no_fewer_than_a_pipeline_needs_and_no_more_than_there_are(tmp_path: Path, share: float, rows: int) -> None:
    ROWS.to_csv(tmp_path / "all.csv", index=False)
    assert draw(tmp_path / "all.csv", tmp_path / "out", share, None) == (rows, 300)
    assert len(drawn(tmp_path / "out")) == rows


def test_a_file_without_rows_is_named(tmp_path: Path) -> None:
    (tmp_path / "none.csv").write_text("flat,rent\n")
    with pytest.raises(DataError, match=r"none\.csv has columns but no rows"):
        draw(tmp_path / "none.csv", tmp_path / "out", 0.1, None)
