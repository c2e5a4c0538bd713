"""libsvm in requests and files, as each version of the image reads it."""

from pathlib import Path

import numpy as np
import pytest

from local_sagemaker.processes.environment import IMAGE as NAME_OF_VARIABLE
from local_sagemaker.toolkits.xgboost.errors import UserError
from local_sagemaker.toolkits.xgboost.libsvm import (
    IMAGE,
    check_file,
    matrix_for_algorithm,
    matrix_for_script,
    shifts,
    warning_of_files,
)

NEW, OLD = (
    {IMAGE: f"683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:{tag}"} for tag in ("3.2-0", "3.0-5")
)
NAN = float("nan")


def rows(matrix: object) -> list[list[float]]:
    """All cells; what is missing is NaN."""
    data = matrix.get_data()  # type: ignore[attr-defined]
    cells = np.full(data.shape, NAN)
    there = data.tocoo()
    cells[there.row, there.col] = there.data
    found: list[list[float]] = cells.tolist()
    return found


def test_the_variable_has_one_name() -> None:
    assert NAME_OF_VARIABLE == IMAGE


@pytest.mark.parametrize(
    ("tag", "new"), [("1.7-1", False), ("3.0-5", False), ("3.1-0", False), ("3.2-0", True), ("10.0-1", True)]
)
def test_indices_from_one_are_shifted_since_a_version(tag: str, new: bool) -> None:
    assert shifts({IMAGE: f"1.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:{tag}"}) is new
    assert shifts({})


def test_the_algorithm_takes_indices_from_one_by_version_and_from_zero_as_they_are() -> None:
    one, zero = "1:3 2:5\n2:7", "0:3 1:5\n1:7"
    np.testing.assert_equal(rows(matrix_for_algorithm(one, NEW)), [[3, 5], [NAN, 7]])
    np.testing.assert_equal(rows(matrix_for_algorithm(one, OLD)), [[NAN, 3, 5], [NAN, NAN, 7]])
    for image in (NEW, OLD):
        np.testing.assert_equal(rows(matrix_for_algorithm(zero, image)), [[3, 5], [NAN, 7]])


def test_a_label_before_the_pairs_is_no_column() -> None:
    np.testing.assert_equal(rows(matrix_for_algorithm("1 0:3 2:5", NEW)), [[3, NAN, 5]])


def test_a_script_gets_zeros_for_what_is_missing_and_a_label_before_that_version() -> None:
    np.testing.assert_equal(rows(matrix_for_script("1:3 3:5\n2:7", NEW)), [[3, 0, 5], [0, 7, 0]])
    np.testing.assert_equal(rows(matrix_for_script("9 0:3 2:5\n9 1:7\n", NEW)), [[3, 0, 5], [0, 7, 0]])
    assert matrix_for_script("1\n2", NEW).num_row() == 0
    old = matrix_for_script("9 1:3 2:5\n8 2:7\n", OLD)
    np.testing.assert_equal(rows(old), [[NAN, 3, 5], [NAN, NAN, 7]])
    assert old.get_label().tolist() == [9, 8]


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("1 0:1 1:2\n", True),
        ("1:0.5 0:1 1:2\n", True),  # with a weight
        ("1\n0 0:1 1:2\n", True),
        ("1 0:1 1:2\nnothing more is looked at\n", True),
        ("1,2\n", False),
        ("1 0:1\nx 0:1 1:2\n", False),
        ("1:2:3 0:1 1:2\n", False),
        ("1 0:1 1:2 \n", False),  # a blank at the end
        ("1  0:1 1:2\n", False),
        ("1 0:1 2\n", False),
        ("1 0:1:2 1:2\n", False),
    ],
)
def test_files_are_looked_at_as_the_image_does(tmp_path: Path, text: str, right: bool) -> None:
    path = tmp_path / "a.libsvm"
    path.write_text(text)
    if right:
        check_file(path)
    else:
        with pytest.raises(UserError, match=r"of file 'a\.libsvm' is not 'LIBSVM' format"):
            check_file(path)


def test_files_that_count_from_one_are_warned_of_where_requests_would_be_shifted(tmp_path: Path) -> None:
    one, zero = tmp_path / "one", tmp_path / "zero"
    one.write_text("1 1:10 2:0\n1 10:1\n")
    zero.write_text("1 1:1\n1 0:1 1:2\n")
    assert "begin at 1" in str(warning_of_files([one], NEW))
    assert warning_of_files([one], OLD) is None
    assert warning_of_files([one, zero], NEW) is None
