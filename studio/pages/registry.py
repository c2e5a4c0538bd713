"""The registry: groups, versions, one version beside the champion; approving and rejecting it."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from studio.account.account import Account
from studio.account.attempts import attempt, attempts, attempts_for
from studio.errors import StudioError
from studio.pages.executions import read_execution
from studio.pages.lineage import execution_of, lineage_picture
from studio.pages.metrics import Metric, metrics_of
from studio.pages.report_facts import Fact, facts_of
from studio.previews.objects import read_json, reports_beside

PAGE = 25
DECISIONS = ("Approved", "Rejected")
MOST_COMMENT = 1024  # characters that ApprovalDescription takes


def groups_page(account: Account, token: str | None) -> dict[str, Any]:
    """One page of the groups with the newest version of each."""
    client = account.client("sagemaker")
    more = {"NextToken": token} if token else {}
    listed = attempt(
        lambda: client.list_model_package_groups(MaxResults=PAGE, SortBy="CreationTime", SortOrder="Descending", **more)
    )
    found = (listed.value or {}).get("ModelPackageGroupSummaryList", [])
    newest = attempts_for(
        found, lambda each: versions(account, each["ModelPackageGroupName"], 1).get("ModelPackageSummaryList", [])
    )
    rows = [(each, answer.value or []) for each, answer in zip(found, newest, strict=True)]
    return {"groups": listed, "rows": rows, "next": (listed.value or {}).get("NextToken")}


def versions(account: Account, group: str, most: int, token: str | None = None, **wanted: str) -> Mapping[str, Any]:
    """ListModelPackages of a group, newest first."""
    request: dict[str, Any] = {"ModelPackageGroupName": group, "MaxResults": most, **wanted}
    request |= {"SortBy": "CreationTime", "SortOrder": "Descending"} | ({"NextToken": token} if token else {})
    answer: Mapping[str, Any] = account.client("sagemaker").list_model_packages(**request)
    return answer


def group_page(account: Account, group: str, token: str | None, with_metrics: bool) -> dict[str, Any]:
    """One page of a group's versions; with their metrics, two requests a version, where asked for."""
    listed = attempt(lambda: versions(account, group, PAGE, token))
    found = (listed.value or {}).get("ModelPackageSummaryList", [])
    packages: list[Any] = [None] * len(found)
    if with_metrics:
        packages = [each.value for each in attempts_for(_arns(found), lambda arn: describe(account, arn))]
    measured = read_metrics(account, packages) if with_metrics else [{} for _ in found]
    names = list(dict.fromkeys(name for each in measured for name in each))
    rows = [(entry, package or {}, metrics) for entry, package, metrics in zip(found, packages, measured, strict=True)]
    return {"group": group, "versions": listed, "rows": rows, "names": names, "with_metrics": with_metrics,
            "next": (listed.value or {}).get("NextToken"), "after": token}  # fmt: skip


def _arns(found: Iterable[Mapping[str, Any]]) -> list[str]:
    return [entry["ModelPackageArn"] for entry in found]


def describe(account: Account, arn: str) -> Mapping[str, Any]:
    """One version."""
    package: Mapping[str, Any] = account.client("sagemaker").describe_model_package(ModelPackageName=arn)
    return package


def statistics_uri(package: Mapping[str, Any] | None) -> str | None:
    """Where the metrics of a version lie."""
    quality = (package or {}).get("ModelMetrics", {}).get("ModelQuality", {})
    uri: str | None = quality.get("Statistics", {}).get("S3Uri")
    return uri


def read_metrics(account: Account, packages: Iterable[Mapping[str, Any] | None]) -> list[dict[str, Metric]]:
    """The metrics of some versions by name; none where they are not recorded or are gone."""
    uris = [statistics_uri(package) for package in packages]
    read = attempts_for(uris, lambda uri: read_json(account, uri) if uri else None)
    return [{metric.name: metric for metric in metrics_of(answer.value)} for answer in read]


def version_page(account: Account, group: str, version: str) -> dict[str, Any]:
    """One version with its metrics beside the champion's, its report, card and lineage."""
    arn = account.arn(f"model-package/{group}/{version}")
    package, approved, identity = attempts(
        [
            lambda: describe(account, arn),
            lambda: versions(account, group, 10, ModelApprovalStatus="Approved").get("ModelPackageSummaryList", []),
            lambda: account.identity,
        ]
    )
    described = package.required()
    champion = next((each for each in approved.value or [] if each["ModelPackageArn"] != arn), None)
    other = attempt(lambda: describe(account, champion["ModelPackageArn"])).value if champion else None
    own, theirs = read_metrics(account, [described, other])
    uri = statistics_uri(described)
    return {
        "group": group,
        "version": version,
        "package": described,
        "champion": other,
        "metrics": [(name, own.get(name), theirs.get(name)) for name in dict.fromkeys([*own, *theirs])],
        "reports": reports_beside(account, [uri]) if uri else [],
        "documents": dict(_documents(described.get("ModelMetrics", {}))),
        "card": _card(described),
        "execution": execution_of(described),
        "about": _about(account, described),
        "lineage": lineage_picture(account, described),
        "me": (identity.value or {}).get("Arn"),
        "decisions": DECISIONS,
    }


def _about(account: Account, package: Mapping[str, Any]) -> list[Fact]:
    """What the report of a version is about, as its execution tells; nothing where that is gone."""
    execution = execution_of(package)
    if execution is None:
        return []
    return attempt(lambda: facts_of(account, read_execution(account, *execution))).value or []


def decide(account: Account, group: str, version: str, status: str, comment: str) -> None:
    """Approve or reject a version; StudioError for another status, or a comment that is too long."""
    if status not in DECISIONS:
        raise StudioError(f"{status!r} is not a decision: give {' or '.join(DECISIONS)}.")
    if len(comment) > MOST_COMMENT:
        raise StudioError(f"The comment has {len(comment)} characters: at most {MOST_COMMENT} are allowed.")
    request = {"ModelPackageArn": account.arn(f"model-package/{group}/{version}"), "ModelApprovalStatus": status}
    if comment.strip():
        request["ApprovalDescription"] = comment.strip()
    account.client("sagemaker").update_model_package(**request)


def _documents(metrics: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    for kind, entries in metrics.items():
        for name, source in entries.items():
            if isinstance(source, Mapping) and "S3Uri" in source:
                yield f"{kind} · {name}", source["S3Uri"]


def _card(package: Mapping[str, Any]) -> Any:
    content = package.get("ModelCard", {}).get("ModelCardContent")
    try:
        return json.loads(content) if content else None
    except ValueError:
        return content
