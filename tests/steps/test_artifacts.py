"""An output file is whole or absent."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from steps.artifacts import replacing, write_json, write_parquet, write_text, write_with


def test_failed_write_leaves_the_old_file_and_no_rest(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "old")

    def fail_half_way() -> None:
        with replacing(tmp_path / "a.txt") as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert (tmp_path / "a.txt").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_json_refuses_nan(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "a.json", {"r2": float("nan")})
    assert list(tmp_path.iterdir()) == []


def test_parquet_makes_its_folder(tmp_path: Path) -> None:
    write_parquet(tmp_path / "new" / "a.parquet", pd.DataFrame({"a": [1]}))
    assert pd.read_parquet(tmp_path / "new" / "a.parquet")["a"].tolist() == [1]


def test_saving_function_sees_the_final_ending(tmp_path: Path) -> None:
    write_with(tmp_path / "model.ubj", lambda name: Path(name).write_text(Path(name).suffix))
    assert (tmp_path / "model.ubj").read_text() == ".ubj"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("rows", [50, 120])
def test_a_long_table_is_the_same_file_piece_by_piece(
    rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [None if row < 60 else "x" for row in range(rows)]  # the first piece has none, or no piece
    table = pd.DataFrame({"number": range(rows), "text": texts, "gaps": None, "half": 0.5})
    table.to_parquet(tmp_path / "whole.parquet", index=False, row_group_size=50)
    monkeypatch.setattr("steps.artifacts.ROW_GROUP", 50)
    write_parquet(tmp_path / "pieces.parquet", table)
    assert (tmp_path / "pieces.parquet").read_bytes() == (tmp_path / "whole.parquet").read_bytes()
