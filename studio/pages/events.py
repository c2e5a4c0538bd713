"""What happened in the account, newest first, put together from what SageMaker lists."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from studio.account.account import Account
from studio.account.attempts import Answer, attempt, attempts
from studio.pages.jobs import KINDS
from studio.pages.pipelines import name_of

EACH, SHOWN = 20, 60


@dataclass(frozen=True)
class Happening:
    """One thing and when it last changed."""

    when: datetime
    kind: str
    name: str
    status: str
    link: str


def events_page(account: Account) -> dict[str, Any]:
    """The newest changes of executions, jobs, versions and endpoints, and the rules that listen for them."""
    client = account.client("sagemaker")
    newest = {"MaxResults": EACH, "SortBy": "CreationTime", "SortOrder": "Descending"}
    pipelines = attempt(
        lambda: client.list_pipelines(MaxResults=10, SortOrder="Descending").get("PipelineSummaries", [])
    )
    reads: list[Callable[[], Any]] = [partial(_executions, account, name_of(each)) for each in pipelines.value or []]
    reads += [partial(_jobs, account, kind) for kind in KINDS.values()]
    reads += [
        lambda: [_version(each) for each in client.list_model_packages(**newest).get("ModelPackageSummaryList", [])],
        lambda: [_endpoint(each) for each in client.list_endpoints(**newest).get("Endpoints", [])],
    ]
    *answers, rules = attempts([*reads, lambda: account.client("events").list_rules(Limit=50).get("Rules", [])])
    found = [each for answer in answers for each in answer.value or []]
    problems = [answer.problem for answer in (pipelines, *answers) if answer.problem]
    found.sort(key=lambda each: each.when, reverse=True)
    return {"events": found[:SHOWN], "problems": problems, "rules": _patterns(rules)}


def _patterns(rules: Answer[Any]) -> Answer[Any]:
    return Answer([rule for rule in rules.value or [] if rule.get("EventPattern")], rules.problem)


def _executions(account: Account, pipeline: str) -> list[Happening]:
    found = account.client("sagemaker").list_pipeline_executions(
        PipelineName=pipeline, MaxResults=EACH, SortBy="CreationTime", SortOrder="Descending"
    )
    return [
        Happening(
            each["StartTime"],
            "execution",
            f"{pipeline} · {each['PipelineExecutionArn'].rpartition('/')[2]}",
            each["PipelineExecutionStatus"],
            f"/pipelines/{pipeline}/executions/{each['PipelineExecutionArn'].rpartition('/')[2]}",
        )
        for each in found.get("PipelineExecutionSummaries", [])
    ]


def _jobs(account: Account, kind: Any) -> list[Happening]:
    return [
        Happening(
            each.get("LastModifiedTime") or each["CreationTime"],
            f"{kind.title.lower()} job",
            each[kind.name_field],
            each[kind.status_field],
            f"/jobs/{kind.path}/{each[kind.name_field]}",
        )
        for each in kind.page(account, None)[kind.summaries]
    ]


def _version(each: Mapping[str, Any]) -> Happening:
    path = each["ModelPackageArn"].partition("model-package/")[2]
    status = each.get("ModelApprovalStatus") or each["ModelPackageStatus"]
    return Happening(each["CreationTime"], "model version", path, status, f"/registry/{path}")


def _endpoint(each: Mapping[str, Any]) -> Happening:
    name = each["EndpointName"]
    return Happening(each["LastModifiedTime"], "endpoint", name, each["EndpointStatus"], f"/endpoints/{name}")
