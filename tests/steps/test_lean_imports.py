"""What is left out of an import is there again after it."""

import gc
import importlib
import subprocess
import sys

import pytest

from steps.lean_imports import lean

RARE = "wave"  # of the standard library, and loaded by nothing here
CHECKED = """
import sys
import pandas as pd
from steps.expectations import Expectation, check
positive = Expectation("expect_column_values_to_be_between", {"column": "x", "min_value": 0}, "x must be positive")
(outcome,) = check(pd.DataFrame({"x": [1, -1, 2]}), [positive], "rows")
print(outcome.unexpected.tolist(), [name for name in ("sqlalchemy", "boto3", "botocore") if name in sys.modules])
import boto3
"""


def test_a_module_that_is_left_out_cannot_be_imported_in_the_block_and_can_be_after_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, RARE, raising=False)
    with lean(RARE), pytest.raises(ImportError):
        importlib.import_module(RARE)
    assert importlib.import_module(RARE).__name__ == RARE


def test_it_can_be_imported_after_a_failure_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, RARE, raising=False)
    with pytest.raises(ValueError, match="no"), lean(RARE):
        raise ValueError("no")
    assert importlib.import_module(RARE).__name__ == RARE


def test_a_module_that_is_loaded_stays_so() -> None:
    with lean("json"):
        assert importlib.import_module("json") is sys.modules["json"]


def test_garbage_is_collected_after_an_import_but_not_during_it() -> None:
    with lean():
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(ValueError, match="no"), lean():
        raise ValueError("no")
    assert gc.isenabled()


def test_where_no_garbage_was_collected_before_none_is_after() -> None:
    gc.disable()
    try:
        with lean():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


@pytest.mark.e2e
def test_expectations_are_checked_without_the_libraries_of_databases_and_of_aws() -> None:
    done = subprocess.run([sys.executable, "-c", CHECKED], capture_output=True, text=True, check=False)
    assert done.stdout == "[1] []\n", done.stderr
