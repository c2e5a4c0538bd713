"""Data to DMatrix."""

from pathlib import Path

import pandas as pd
import pytest

from local_sagemaker.toolkits.answers import UnsupportedFormat
from local_sagemaker.toolkits.xgboost.content_types import CSV, LIBSVM, PARQUET, PROTOBUF, format_of
from local_sagemaker.toolkits.xgboost.errors import UserError
from local_sagemaker.toolkits.xgboost.matrices import csv_matrix, matrix_of_body, matrix_of_files


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        (None, LIBSVM),
        ("text/csv", CSV),
        ("csv", CSV),
        ("text/csv; label_size=1; charset=utf8", CSV),
        ("Text/X-LibSVM", LIBSVM),
        ("application/x-parquet", PARQUET),
        ("application/x-recordio-protobuf", PROTOBUF),
    ],
)
def test_a_content_type_has_a_format(content_type: str | None, expected: str) -> None:
    assert format_of(content_type) == expected


@pytest.mark.parametrize("content_type", ["application/json", "text/csv;label_size=0", ""])
def test_others_are_refused(content_type: str) -> None:
    with pytest.raises(UserError, match="is not an accepted"):
        format_of(content_type)


def test_bodies_are_rows_without_a_label() -> None:
    assert csv_matrix("1,2\n3,\n4,5").num_row() == 3
    assert csv_matrix("1,2\n3,\n4,5").num_nonmissing() == 5
    assert csv_matrix("1;2").num_col() == 2
    assert csv_matrix("7").num_col() == 1
    assert matrix_of_body(b"1,2", "text/csv; charset=utf-8").num_col() == 2
    with pytest.raises(UnsupportedFormat):
        matrix_of_body(b"[]", "application/json")
    with pytest.raises(ValueError, match="could not convert"):
        csv_matrix("a,b")


def test_the_files_of_a_channel_are_one_matrix(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "a.csv").write_text("1,10,20\n0,30,40\n")
    (tmp_path / "deep" / "b.csv").write_text("1,50,60\n")
    matrix = matrix_of_files([str(tmp_path)], CSV)
    assert (matrix.num_row(), matrix.num_col()) == (3, 2)
    assert matrix.get_label().tolist() == [1, 0, 1]
    weighted = matrix_of_files([str(tmp_path)], CSV, weights=True)
    assert (weighted.num_col(), weighted.get_weight().tolist()) == (1, [10, 30, 50])


def test_libsvm_and_parquet_are_read(tmp_path: Path) -> None:
    (tmp_path / "svm").mkdir()
    (tmp_path / "svm" / "a").write_text("1 0:1 1:2\n0 0:3 1:4\n")
    assert matrix_of_files([str(tmp_path / "svm")], LIBSVM).get_label().tolist() == [1, 0]
    (tmp_path / "parquet").mkdir()
    pd.DataFrame({"y": [1.0, 2.0], "x": [3, 4]}).to_parquet(tmp_path / "parquet" / "a.parquet")
    matrix = matrix_of_files([str(tmp_path / "parquet")], PARQUET)
    assert (matrix.get_label().tolist(), matrix.num_col()) == ([1, 2], 1)


def test_what_cannot_be_read_is_the_user_s_to_mend(tmp_path: Path) -> None:
    assert matrix_of_files([str(tmp_path)], CSV) is None
    (tmp_path / "a.csv").write_text("1,2\n3,4\n")
    with pytest.raises(UserError, match="is not 'LIBSVM' format"):
        matrix_of_files([str(tmp_path)], LIBSVM)
    with pytest.raises(UserError, match="Failed to load parquet data"):
        matrix_of_files([str(tmp_path)], PARQUET)
    with pytest.raises(UserError, match="does not read recordio-protobuf"):
        matrix_of_files([str(tmp_path)], PROTOBUF)
    (tmp_path / ".hidden").write_text("1")
    with pytest.raises(UserError, match="Hidden file found"):
        matrix_of_files([str(tmp_path)], CSV)
