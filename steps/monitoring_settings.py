"""How a served model is watched: the section monitoring of the YAML file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

STRICT = {"extra": "forbid", "strict": True}
DAYS_OF_A_MONTH = 30
FEWEST_ALARMS, MOST_ALARMS = 0.001, 0.5  # of a window: less takes too many draws to tell, more says nothing


@dataclass(frozen=True, kw_only=True)
class MonitoringSettings:
    """What is compared, and when a difference is told.

    window_days: how long a window is, where none is given: the last whole one before the execution began.
    cohort_days: captured requests are looked back at for so long before the window's end, for prices that come late.
    false_alarms_per_month: how many of 30 days in which nothing changes may raise an alarm, over all checks together.
    min_sales, min_requests: with fewer a comparison is "not enough data".
    max_level_change: the predictions' level (median of predicted / actual) may move by this share before a retrain.
    max_error_ratio: the MAPE may be so many times that at registration before a retrain.
    recovery_p: a check that was raised by the window before stays raised while its p is below this.
    recovery_share: a retrain that was called for stays so until what was too large is below this share of its limit.
    min_place_sales: a place with fewer new sales is not looked at by itself.
    """

    __pydantic_config__ = STRICT

    window_days: int = 30
    cohort_days: int = 180
    false_alarms_per_month: float = 0.05
    min_sales: int = 50
    min_requests: int = 100
    max_level_change: float = 0.04
    max_error_ratio: float = 1.25
    recovery_p: float = 0.2
    recovery_share: float = 0.5
    min_place_sales: int = 8

    def __post_init__(self) -> None:
        for name in ("window_days", "cohort_days", "min_place_sales"):
            if getattr(self, name) < 1:
                raise ValueError(f"monitoring.{name} is {getattr(self, name)}: it must be 1 or more.")
        for name in ("min_sales", "min_requests"):
            if getattr(self, name) < 20:
                raise ValueError(f"monitoring.{name} is {getattr(self, name)}: fewer than 20 rows tell nothing.")
        if self.cohort_days < self.window_days:
            raise ValueError(
                f"monitoring.cohort_days is {self.cohort_days}: it must be window_days ({self.window_days}) or more."
            )
        if not FEWEST_ALARMS <= self.false_alarms_per_month <= MOST_ALARMS:
            raise ValueError(
                f"monitoring.false_alarms_per_month is {self.false_alarms_per_month}: "
                f"it must be from {FEWEST_ALARMS} to {MOST_ALARMS}."
            )
        self._check_limits()

    def _check_limits(self) -> None:
        if not 0 < self.max_level_change < 1:
            raise ValueError(f"monitoring.max_level_change is {self.max_level_change}: it must be between 0 and 1.")
        if self.max_error_ratio <= 1:
            raise ValueError(f"monitoring.max_error_ratio is {self.max_error_ratio}: it must be above 1.")

        if not 0 <= self.recovery_p < 1:
            raise ValueError(
                f"monitoring.recovery_p is {self.recovery_p}: it must be from 0, for no memory of the window before, "
                "to below 1."
            )
        if not 0 < self.recovery_share <= 1:
            raise ValueError(f"monitoring.recovery_share is {self.recovery_share}: it must be above 0 and at most 1.")

    @property
    def recovered_error_ratio(self) -> float:
        """Below this the MAPE calls for no retrain any more."""
        return 1 + (self.max_error_ratio - 1) * self.recovery_share

    def false_alarms(self, days: float) -> float:
        """The chance that so many days, in which nothing changes, raise an alarm: FEWEST_ALARMS at least."""
        return min(MOST_ALARMS, max(FEWEST_ALARMS, self.false_alarms_per_month * days / DAYS_OF_A_MONTH))

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> MonitoringSettings:
        """Build the settings from their parsed section."""
        return cls(**document)
