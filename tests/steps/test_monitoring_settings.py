from __future__ import annotations

import pytest

from steps.monitoring_settings import MonitoringSettings


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"window_days": 0}, "monitoring.window_days is 0: it must be 1 or more"),
        ({"min_sales": 19}, "monitoring.min_sales is 19: fewer than 20 rows tell nothing"),
        ({"window_days": 30, "cohort_days": 29}, "cohort_days is 29: it must be window_days"),
        ({"false_alarms_per_month": 0.0}, "false_alarms_per_month is 0.0: it must be from 0.001 to 0.5"),
        ({"false_alarms_per_month": 0.51}, "it must be from 0.001 to 0.5"),
        ({"max_level_change": 0.0}, "max_level_change is 0.0: it must be between 0 and 1"),
        ({"max_error_ratio": 1.0}, "max_error_ratio is 1.0: it must be above 1"),
    ],
)
def test_what_cannot_be_is_said_with_its_place(given: dict[str, float], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        MonitoringSettings(**given)  # type: ignore[arg-type]


def test_the_limits_themselves_are_allowed() -> None:
    MonitoringSettings(min_sales=20, window_days=1, cohort_days=1, false_alarms_per_month=0.5)


def test_a_longer_window_may_raise_more_alarms_and_a_short_one_some() -> None:
    settings = MonitoringSettings(false_alarms_per_month=0.1)
    assert [settings.false_alarms(days) for days in (30, 15, 0.1, 600)] == [0.1, 0.05, 0.001, 0.5]
