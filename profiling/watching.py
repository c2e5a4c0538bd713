"""How often a model of a data file can be watched: as long a window as has enough new rows."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from steps.monitoring_settings import MonitoringSettings

WINDOWS = (7, 30, 90, 365)  # days: a week, a month, a quarter, a year
ENOUGH = 2  # times min_sales, so that a quiet window says something, too


@dataclass(frozen=True)
class Watching:
    """The section `monitoring`. rows: how many rows of the file are dated in a window; None where none has a date."""

    window_days: int
    cohort_days: int
    rows: int | None

    @property
    def is_enough(self) -> bool:
        """Whether new rows alone can be judged."""
        return self.rows is not None and self.rows >= MonitoringSettings().min_sales


def watching(dates: pd.Series | None) -> Watching:
    """The shortest window with enough rows, from the dates of a file's rows; None where it has no such column."""
    usual = MonitoringSettings()
    known = dates.dropna() if dates is not None else None
    if known is None or not len(known):
        return Watching(usual.window_days, usual.cohort_days, None)
    a_day = len(known) / ((known.max() - known.min()).days + 1)
    days = next((days for days in WINDOWS if a_day * days >= ENOUGH * usual.min_sales), WINDOWS[-1])
    return Watching(days, max(days, usual.cohort_days), round(a_day * days))
