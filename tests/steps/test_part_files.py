"""Tables become parts whose number follows their rows, and come back in order; a broken part is named."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from steps.failure import JobError
from steps.part_files import part_files, read_parts, write_parts
from steps.part_sizes import FEWEST_ROWS, MOST_ROWS, PARTS, parts_of_rows
from tests.steps.conftest import damage


@pytest.mark.parametrize(
    ("rows", "parts"),
    [
        (0, 1),
        (1, 1),
        (FEWEST_ROWS, 1),
        (FEWEST_ROWS + 1, 2),
        (PARTS * FEWEST_ROWS, PARTS),
        (PARTS * FEWEST_ROWS + 1, PARTS),
        (PARTS * MOST_ROWS, PARTS),
        (PARTS * MOST_ROWS + 1, PARTS + 1),
    ],
)
def test_the_number_of_parts_follows_the_rows(rows: int, parts: int) -> None:
    assert parts_of_rows(rows) == parts


def test_parts_are_of_one_size_and_come_back_in_order(tmp_path: Path) -> None:
    table = pd.DataFrame({"x": range(2 * FEWEST_ROWS + 1)})
    write_parts(tmp_path, len(table), table.__getitem__)
    (tmp_path / "_SUCCESS.parquet").touch()
    sizes = [len(pd.read_parquet(path)) for path in part_files(tmp_path)]
    assert (len(sizes), max(sizes) - min(sizes)) == (3, 0)
    pd.testing.assert_frame_equal(read_parts(tmp_path), table)


def test_a_broken_part_is_named(tmp_path: Path) -> None:
    table = pd.DataFrame({"x": range(FEWEST_ROWS + 1)})
    write_parts(tmp_path, len(table), table.__getitem__)
    broken = tmp_path / "part-00001.parquet"
    broken.write_bytes(broken.read_bytes()[:-9])
    with pytest.raises(JobError, match=r"part-00001\.parquet cannot be read as Parquet"):
        read_parts(tmp_path)
    with pytest.raises(JobError, match="There is no Parquet file in"):
        read_parts(tmp_path / "none")


def test_a_part_that_is_damaged_behind_a_whole_footer_is_named(tmp_path: Path) -> None:
    table = pd.DataFrame({"x": range(FEWEST_ROWS + 1)})
    write_parts(tmp_path, len(table), table.__getitem__)
    damage(tmp_path / "part-00001.parquet")
    with pytest.raises(JobError, match=r"part-00001\.parquet cannot be read as Parquet \("):
        read_parts(tmp_path)


def test_an_even_draw_of_all_parts_reads_each_file_alone(tmp_path: Path) -> None:
    table = pd.DataFrame({"x": range(2 * FEWEST_ROWS + 1)})
    write_parts(tmp_path, len(table), table.__getitem__)
    assert read_parts(tmp_path, 3)["x"].tolist() == [0, FEWEST_ROWS, 2 * FEWEST_ROWS]
    pd.testing.assert_frame_equal(read_parts(tmp_path, len(table)), table)
    with pytest.raises(JobError, match="There is no Parquet file"):
        read_parts(tmp_path / "none", 3)
