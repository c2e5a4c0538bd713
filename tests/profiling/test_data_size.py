"""The rows of a data set are counted without reading it."""

import gzip
import zipfile
from pathlib import Path

import pandas as pd
import pytest

import profiling.data_size
from profiling.data_size import size_of
from steps.data_set import parts_of

TABLE = pd.DataFrame({"a": range(5000), "b": 0.5})


def test_parquet_is_counted_by_its_footers_and_short_csv_by_its_lines(tmp_path: Path) -> None:
    TABLE.to_parquet(tmp_path / "a.parquet")
    TABLE.head(10).to_csv(tmp_path / "b.csv", index=False)
    found = size_of(parts_of(tmp_path))
    assert (found.rows, found.exact) == (5010, True)
    assert found.binary == (tmp_path / "a.parquet").stat().st_size
    assert found.text == (tmp_path / "b.csv").stat().st_size
    assert found.size == found.text + found.binary


def test_a_long_csv_is_counted_by_a_sample_packed_or_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profiling.data_size, "SAMPLE", 8192)
    text = TABLE.to_csv(index=False).encode()
    (tmp_path / "a.csv").write_bytes(text)
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(text))
    with zipfile.ZipFile(tmp_path / "c.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("c.csv", text)
    for name in ("a.csv", "b.csv.gz", "c.zip"):
        found = size_of(parts_of(tmp_path / name))
        assert not found.exact
        assert found.rows == pytest.approx(5000, rel=0.25), name
        assert found.text == pytest.approx(len(text), rel=0.25), name


def test_what_cannot_be_read_has_no_rows(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1 and no more")
    (tmp_path / "b.csv.gz").write_bytes(b"\x1f\x8b and no more")
    (tmp_path / "c.zip").write_bytes(b"PK\x03\x04 and no more")
    (tmp_path / "d.csv").write_text("a\n1\n2")
    assert size_of(parts_of(tmp_path)).rows == 2
