"""Monitoring: the last decisions, schedules, alarms, what is captured, rules that run on a schedule."""

from typing import Any

from studio.account.account import Account
from studio.account.attempts import Answer, attempts, attempts_for
from studio.pages.observed import observations


def monitoring_page(account: Account) -> dict[str, Any]:
    """What watches the account's endpoints."""
    sagemaker = account.client("sagemaker")
    watched, timed, schedules, alarms, endpoints, rules = attempts(
        [
            lambda: observations(account),
            lambda: account.client("scheduler").list_schedules(MaxResults=50).get("Schedules", []),
            lambda: sagemaker.list_monitoring_schedules(MaxResults=50).get("MonitoringScheduleSummaries", []),
            lambda: account.client("cloudwatch").describe_alarms(MaxRecords=50).get("MetricAlarms", []),
            lambda: sagemaker.list_endpoints(MaxResults=25).get("Endpoints", []),
            lambda: account.client("events").list_rules(Limit=50).get("Rules", []),
        ]
    )
    names = [entry["EndpointName"] for entry in endpoints.value or []]
    described = attempts_for(names, lambda name: sagemaker.describe_endpoint(EndpointName=name))
    configs = [(answer.value or {}).get("DataCaptureConfig") for answer in described]
    capture = list(zip(names, configs, strict=True))
    scheduled = [rule for rule in rules.value or [] if rule.get("ScheduleExpression")]
    found = [each.value for each in watched.value or [] if each.value is not None]
    problems = [each.problem for each in (watched, *(watched.value or [])) if each.problem]
    return {"observations": found, "watch_problems": problems, "timed": timed, "schedules": schedules,
            "alarms": alarms, "endpoints": endpoints, "capture": capture,
            "rules": Answer(scheduled, rules.problem)}  # fmt: skip
