"""The metric filter looks for just what the model's server logs, and for no other model's."""

from typing import Any

import pytest

from deployment.guard import AlarmLimits, Guard
from deployment.invalid_predictions import LOGGED, filter_name, filter_request
from local_sagemaker.api.log_filter import LogFilter
from steps.serve import INVALID
from tests.deployment.test_guard import check

LIMITS = AlarmLimits(0.01, None, 60, 1, max_invalid_predictions=2)


def test_the_server_logs_what_the_filter_looks_for() -> None:
    assert LOGGED == INVALID


def test_the_filter_counts_the_lines_of_one_model_alone() -> None:
    request = filter_request("houses", "houses-v3-1", "1f2e")
    check("logs", "PutMetricFilter", request)
    check("logs", "DeleteMetricFilter", filter_name("houses", "houses-v3-1"))
    wanted = LogFilter(request["filterPattern"])
    assert wanted.matches("Invalid prediction by model 1f2e: 1 of 3 rows")
    assert not wanted.matches("Invalid prediction by model 3d4c: 1 of 3 rows")


@pytest.mark.parametrize("counted", [True, False])
def test_the_alarm_is_on_the_metric_of_the_filter(counted: bool) -> None:
    alarms = Guard("canary", None, 60, limits=LIMITS).alarm_requests("houses", "houses-v3-1", counts_invalid=counted)
    found: list[dict[str, Any]] = [each for each in alarms if each["AlarmName"] == "houses-v3-1-invalid"]
    assert bool(found) is counted
    for alarm in found:
        check("cloudwatch", "PutMetricAlarm", alarm)
        [transformation] = filter_request("houses", "houses-v3-1", "m")["metricTransformations"]
        measured = (alarm["Namespace"], alarm["MetricName"])
        assert measured == (transformation["metricNamespace"], transformation["metricName"])
        assert (alarm["Statistic"], alarm["Threshold"], alarm["ComparisonOperator"]) == (
            "Sum", 2.0, "GreaterThanThreshold"
        )  # fmt: skip
