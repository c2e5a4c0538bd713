from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from profiling.watching import watching


def dated(rows: int, days: int) -> pd.Series:
    """That many rows, evenly over so many days, the first and the last included."""
    return pd.Series(pd.Timestamp("2026-01-01") + pd.to_timedelta(np.linspace(0, days - 1, rows).round(), unit="D"))


@pytest.mark.parametrize(
    ("rows", "window"),
    [(20_000, 7), (5_220, 7), (5_000, 30), (1_217, 30), (1_200, 90), (406, 90), (400, 365), (10, 365)],
)
def test_a_window_is_the_shortest_with_enough_rows(rows: int, window: int) -> None:
    assert watching(dated(rows, 365)).window_days == window


def test_a_window_is_never_longer_than_what_is_looked_back_at() -> None:
    found = watching(dated(200, 365))
    assert (found.window_days, found.cohort_days, found.rows) == (365, 365, 200)


def test_too_few_rows_a_year_are_told() -> None:
    assert watching(dated(50, 365)).is_enough
    assert not watching(dated(49, 365)).is_enough


def test_rows_without_dates_have_the_usual_window() -> None:
    for dates in (None, pd.Series([pd.NaT, pd.NaT])):
        found = watching(dates)
        assert (found.window_days, found.rows, found.is_enough) == (30, None, False)
