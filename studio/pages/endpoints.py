"""Endpoints: variants and their traffic, alarms, what was captured, configurations to go back to."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from studio.account.account import Account
from studio.account.attempts import Answer, attempt, attempts
from studio.pages.captured import SHOWN, Captured, captured_requests
from studio.pages.lineage import package_of
from studio.pages.sample import Sample, read_sample
from studio.pages.shadow import Comparison, compared

PAGE = 25
CHANGING = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")
METRICS = (  # name, statistic, divisor, what a person calls it
    ("Invocations", "Sum", 1, "requests"),
    ("ModelLatency", "Average", 1000, "model latency, ms"),
    ("Invocation4XXErrors", "Sum", 1, "refused (4XX)"),
    ("Invocation5XXErrors", "Sum", 1, "failed (5XX)"),
)
HOURS, PERIOD = 3, 300
ANSWERING = ("serving", "coming")  # whose weights share the requests; a shadow gets copies


def endpoints_page(account: Account, token: str | None) -> dict[str, Any]:
    """One page of the endpoints."""
    more = {"NextToken": token} if token else {}
    listed = attempt(
        lambda: account.client("sagemaker").list_endpoints(
            MaxResults=PAGE, SortBy="CreationTime", SortOrder="Descending", **more
        )
    )
    found = listed.value or {}
    return {"endpoints": listed, "rows": found.get("Endpoints", []), "next": found.get("NextToken")}


def read_endpoint(account: Account, name: str) -> dict[str, Any]:
    """How an endpoint stands: its description, its configuration, its alarms; StudioError where there is none."""
    client = account.client("sagemaker")
    about = client.describe_endpoint(EndpointName=name)
    config = attempt(lambda: client.describe_endpoint_config(EndpointConfigName=about["EndpointConfigName"]))
    names = alarm_names(about)
    alarms = attempt(lambda: _alarms(account, names)) if names else Answer([])
    return {"name": name, "endpoint": about, "config": config, "alarms": alarms, "alarm_names": names,
            "changing": about["EndpointStatus"] in CHANGING,
            "variants": variants_of(about, config.value or {})}  # fmt: skip


def endpoint_page(account: Account, name: str) -> dict[str, Any]:
    """Everything of an endpoint, with the form to try it."""
    page = read_endpoint(account, name)
    config = page["config"].value or {}
    models = [variant["model"] for variant in page["variants"] if variant["model"]]
    history, capture, described, latency = attempts(
        [
            lambda: configurations(account, name),
            lambda: captured_requests(account, page["endpoint"], config),
            lambda: [account.client("sagemaker").describe_model(ModelName=model) for model in models],
            lambda: series(account, name, [variant["name"] for variant in page["variants"]]),
        ]
    )
    packages = [package_of(model) for model in described.value or []]
    sample = attempt(lambda: read_sample(account, next(filter(None, packages), None)))
    return {**page, "history": history, "capture": capture, "shadow": _shadow(capture, config),
            "captured": newest_of_each(capture.value or []), "packages": dict(zip(models, packages, strict=False)),
            "sample": sample, "series": latency, "raw": _raw_example(sample)}  # fmt: skip


def newest_of_each(captured: list[Captured]) -> list[Captured]:
    """The newest SHOWN of each variant, in the order of time."""
    kept: Counter[str] = Counter()
    found = []
    for each in captured:
        kept[each.variant] += 1
        if kept[each.variant] <= SHOWN:
            found.append(each)
    return found


def _shadow(capture: Answer[list[Captured] | None], config: Mapping[str, Any]) -> Comparison | None:
    """What the shadows answered beside what serves; None where there is no shadow, or nothing is captured."""
    names = {entry["VariantName"] for entry in config.get("ShadowProductionVariants", [])}
    return compared(capture.value, names) if names and capture.value is not None else None


def alarm_names(endpoint: Mapping[str, Any]) -> list[str]:
    """The alarms that roll a deployment of the endpoint back."""
    configuration = endpoint.get("LastDeploymentConfig") or {}
    alarms = configuration.get("AutoRollbackConfiguration", {}).get("Alarms", [])
    return [alarm["AlarmName"] for alarm in alarms]


def _alarms(account: Account, names: list[str]) -> list[Mapping[str, Any]]:
    found = account.client("cloudwatch").describe_alarms(AlarmNames=names)
    return list(found.get("MetricAlarms", [])) + list(found.get("CompositeAlarms", []))


def variants_of(endpoint: Mapping[str, Any], config: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The variants with their share of the traffic; those of a deployment that goes on, and shadows, are marked."""
    models = {
        entry["VariantName"]: entry
        for kind in ("ProductionVariants", "ShadowProductionVariants")
        for entry in config.get(kind, [])
    }
    pending = endpoint.get("PendingDeploymentSummary") or {}
    groups = (
        ("serving", endpoint.get("ProductionVariants", [])),
        ("shadow", endpoint.get("ShadowProductionVariants", [])),
        ("coming", pending.get("ProductionVariants", [])),
        ("coming shadow", pending.get("ShadowProductionVariants", [])),
    )
    answering = [entry for role, entries in groups if role in ANSWERING for entry in entries]
    total = sum(entry.get("CurrentWeight") or 0 for entry in answering)
    return [
        {
            "name": entry["VariantName"],
            "role": role,
            "weight": entry.get("CurrentWeight"),
            "share": (entry.get("CurrentWeight") or 0) / total if total and role in ANSWERING else None,
            "wanted": entry.get("DesiredWeight"),
            "count": entry.get("CurrentInstanceCount"),
            "states": [state.get("Status") for state in entry.get("VariantStatus", [])],
            "model": models.get(entry["VariantName"], {}).get("ModelName") if not role.startswith("coming") else None,
            "instance": models.get(entry["VariantName"], {}).get("InstanceType"),
        }
        for role, entries in groups
        for entry in entries
    ]


def series(account: Account, name: str, variants: list[str]) -> list[dict[str, Any]]:
    """The metrics of the last hours by variant: the points as (seconds since the start, value), and the last value."""
    end = datetime.now(timezone.utc)
    start = end - timedelta(hours=HOURS)
    asked = [(variant, metric) for variant in dict.fromkeys(variants) for metric in METRICS]
    queries = [
        {
            "Id": f"m{number}",
            "MetricStat": {
                "Metric": {
                    "Namespace": "AWS/SageMaker",
                    "MetricName": metric[0],
                    "Dimensions": [
                        {"Name": "EndpointName", "Value": name},
                        {"Name": "VariantName", "Value": variant},
                    ],
                },
                "Period": PERIOD,
                "Stat": metric[1],
            },
        }
        for number, (variant, metric) in enumerate(asked)
    ]
    if not queries:
        return []
    answer = account.client("cloudwatch").get_metric_data(
        MetricDataQueries=queries, StartTime=start, EndTime=end, ScanBy="TimestampAscending"
    )
    results = {entry["Id"]: entry for entry in answer.get("MetricDataResults", [])}
    found = []
    for number, (variant, (_, _, divisor, title)) in enumerate(asked):
        entry = results.get(f"m{number}", {})
        points = [
            ((when - start).total_seconds(), value / divisor)
            for when, value in zip(entry.get("Timestamps", []), entry.get("Values", []), strict=False)
        ]
        found.append({"variant": variant, "title": title, "points": points, "line": spark(points)})
    return found


def spark(points: list[tuple[float, float]], width: int = 160, height: int = 36) -> str:
    """The points as an SVG polyline within width and height, zero at the bottom."""
    top = max((value for _, value in points), default=0) or 1
    span = HOURS * 3600
    return " ".join(f"{x / span * width:.1f},{height - 2 - value / top * (height - 4):.1f}" for x, value in points)


def configurations(account: Account, name: str) -> list[Mapping[str, Any]]:
    """The newest configurations whose names hold the endpoint's: what it may have served before."""
    found = account.client("sagemaker").list_endpoint_configs(
        NameContains=name[:63], MaxResults=10, SortBy="CreationTime", SortOrder="Descending"
    )
    return list(found.get("EndpointConfigs", []))


def roll_back(account: Account, name: str, config: str) -> None:
    """Let the endpoint serve a configuration; the old one answers until the new one does."""
    account.client("sagemaker").update_endpoint(EndpointName=name, EndpointConfigName=config)


def _raw_example(sample: Answer[Sample | None]) -> str:
    return sample.value.body.decode("utf-8", "replace") if sample.value else ""
