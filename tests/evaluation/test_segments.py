"""Rows are divided as the YAML says, and each row is in one segment or, where its value is missing, in none."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from evaluation.segments import grouping, groupings
from steps.evaluation_settings import EvaluationSettings, Segment
from steps.failure import JobError
from steps.row_source import InMemory
from steps.settings import JobSettings
from tests.evaluation.conftest import DATA


def test_quantiles_are_bands_of_equal_size() -> None:
    found = grouping("price", pd.Series(np.arange(1000, 5000)), Segment(quantiles=4))
    assert found.names == ("below 2,000", "2,000 to 3,000", "3,000 to 3,999", "3,999 and more")
    assert found.counts.tolist() == pytest.approx([1000] * 4, abs=1)


def test_edges_are_the_limits_and_missing_values_are_nowhere() -> None:
    found = grouping("age", pd.Series([-1, 0, 9.5, 10, 30, 99, np.nan]), Segment(edges=(10, 30)))
    assert found.names == ("below 10", "10 to 30", "30 and more")
    assert found.codes.tolist() == [0, 0, 0, 1, 2, 2, -1]


def test_texts_go_together_by_their_beginning() -> None:
    found = grouping("zipcode", pd.Series(["98001", "98109", "98002", None]), Segment(prefix=3))
    assert found.names == ("980...", "981...")
    assert found.codes.tolist() == [0, 1, 0, -1]


def test_each_value_is_a_segment_where_nothing_else_is_said() -> None:
    found = grouping("waterfront", pd.Series([True, False, False]), Segment())
    assert found.names == ("no", "yes")
    assert found.counts.tolist() == [2, 1]


def test_values_that_are_all_missing_make_no_segment() -> None:
    found = grouping("age", pd.Series([np.nan, np.nan]), Segment(quantiles=2))
    assert found.names == ()
    assert found.codes.tolist() == [-1, -1]


def test_column_that_the_rows_lack_is_named(rows: pd.DataFrame) -> None:
    settings = JobSettings(data=DATA, evaluation=EvaluationSettings(segments={"kind": Segment()}))
    with pytest.raises(JobError, match=r"no column kind, by which evaluation\.segments divides them"):
        groupings(InMemory(rows.drop(columns="kind")), settings)
    assert groupings(InMemory(rows), settings)[0].names == ("a", "b")
