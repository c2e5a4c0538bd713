"""Home: the four stages of a model's life, what exists in each, and what to do next."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from studio.account.account import Account
from studio.account.attempts import Answer, attempts, attempts_for
from studio.pages.pipelines import name_of, newest_executions

SHOWN = 5


@dataclass(frozen=True)
class Item:
    """One thing of a stage: its name, how it stands, where it is."""

    name: str
    status: str
    link: str


@dataclass(frozen=True)
class Stage:
    """One stage; `nothing` teaches what would be here, and `problems` say what could not be read."""

    title: str
    link: str
    items: tuple[Item, ...]
    next: str
    next_link: str | None
    nothing: str
    problems: tuple[str, ...]


def home_page(account: Account) -> dict[str, Any]:
    """The four stages."""
    client = account.client("sagemaker")
    newest = {"MaxResults": SHOWN, "SortBy": "CreationTime", "SortOrder": "Descending"}
    buckets, pipelines, versions, endpoints, schedules, alarms = attempts(
        [
            lambda: account.client("s3").list_buckets().get("Buckets", []),
            lambda: client.list_pipelines(**newest).get("PipelineSummaries", []),
            lambda: client.list_model_packages(ModelPackageType="Versioned", **newest).get(
                "ModelPackageSummaryList", []
            ),
            lambda: client.list_endpoints(**newest).get("Endpoints", []),
            lambda: client.list_monitoring_schedules(MaxResults=SHOWN).get("MonitoringScheduleSummaries", []),
            lambda: account.client("cloudwatch").describe_alarms(MaxRecords=SHOWN).get("MetricAlarms", []),
        ]
    )
    names = [name_of(each) for each in pipelines.value or []]
    executions = attempts_for(names, lambda name: newest_executions(account, name, 1))
    latest = [(name, (answer.value or [None])[0]) for name, answer in zip(names, executions, strict=True)]
    return {
        "stages": (
            _data(buckets),
            _training(pipelines, latest),
            _deployment(versions, endpoints),
            _monitoring(schedules, alarms, endpoints),
        )
    }


def _data(buckets: Answer[Any]) -> Stage:
    items = tuple(
        Item(each["Name"], "", f"/objects?uri=s3://{each['Name']}/") for each in (buckets.value or [])[:SHOWN]
    )
    return Stage(
        "Data",
        "/objects",
        items,
        "Look at what a pipeline read and wrote." if items else "Create a bucket.",
        "/objects",
        "Data for SageMaker lies in buckets of S3. A pipeline reads a file there and writes what it made of it.",
        _problems(buckets),
    )


def _training(pipelines: Answer[Any], latest: list[tuple[str, Mapping[str, Any] | None]]) -> Stage:
    items = tuple(
        Item(name, str(each["PipelineExecutionStatus"]), _link(each))
        if each
        else Item(name, "not started yet", f"/pipelines/{name}")
        for name, each in latest
    )
    failed = next((item for item in items if item.status == "Failed"), None)
    if failed:
        todo, link = f"Read why the newest execution of {failed.name} failed.", failed.link
    elif items and items[0].status == "not started yet":
        todo, link = f"Start {items[0].name}.", items[0].link
    elif items:
        todo, link = "Compare two executions, or start one with other parameters.", f"/pipelines/{items[0].name}"
    else:
        todo, link = "Publish a pipeline.", None
    return Stage(
        "Training",
        "/pipelines",
        items,
        todo,
        link,
        "A pipeline is code that was published: the console cannot draw one. `run_pipeline.py upsert`, or any program "
        "that calls CreatePipeline, puts the first one here.",
        _problems(pipelines),
    )


def _deployment(versions: Answer[Any], endpoints: Answer[Any]) -> Stage:
    found = versions.value or []
    registered = [_version(each) for each in found]
    serving = [
        Item(each["EndpointName"], each["EndpointStatus"], f"/endpoints/{each['EndpointName']}")
        for each in endpoints.value or []
    ]
    waiting = next((item for item in registered if item.status == "PendingManualApproval"), None)
    if waiting:
        todo, link = f"Read the report of {waiting.name}, then approve or reject it.", waiting.link
    elif endpoints.value:
        todo, link = "Try a prediction.", f"/endpoints/{endpoints.value[0]['EndpointName']}"
    elif found:
        todo, link = "Deploy an approved version.", registered[0].link
    else:
        todo, link = "Run a training pipeline that registers its model.", "/pipelines"
    return Stage(
        "Deployment",
        "/registry",
        _both(registered, serving),
        todo,
        link,
        "A version of a model comes into the registry when an execution registers it; a person approves it; a program "
        "deploys what is approved to an endpoint, which answers requests.",
        _problems(versions, endpoints),
    )


def _monitoring(schedules: Answer[Any], alarms: Answer[Any], endpoints: Answer[Any]) -> Stage:
    planned = [
        Item(each["MonitoringScheduleName"], each["MonitoringScheduleStatus"], "/monitoring")
        for each in schedules.value or []
    ]
    items = _both(planned, [Item(each["AlarmName"], each["StateValue"], "/monitoring") for each in alarms.value or []])
    todo = (
        "See what is watched." if items else "Set up what watches an endpoint." if endpoints.value else "Deploy first."
    )
    return Stage(
        "Monitoring",
        "/monitoring",
        items,
        todo,
        "/monitoring",
        "An endpoint can write its requests to S3; a schedule compares them with the training data; alarms say when "
        "latency or errors leave their limits.",
        _problems(alarms),
    )


def _both(first: list[Item], second: list[Item]) -> tuple[Item, ...]:
    """SHOWN of two kinds, so that many of one hide none of the other."""
    kept = first[: max(SHOWN - len(second), SHOWN - SHOWN // 2)]
    return (*kept, *second[: SHOWN - len(kept)])


def _version(each: Mapping[str, Any]) -> Item:
    path = each["ModelPackageArn"].partition("model-package/")[2]
    name = path.replace("/", " ")
    return Item(name, each.get("ModelApprovalStatus") or each["ModelPackageStatus"], f"/registry/{path}")


def _link(execution: Mapping[str, Any]) -> str:
    pipeline, identity = execution["PipelineExecutionArn"].split(":pipeline/")[1].split("/execution/")
    return f"/pipelines/{pipeline}/executions/{identity}"


def _problems(*answers: Answer[Any]) -> tuple[str, ...]:
    return tuple(answer.problem for answer in answers if answer.problem)
