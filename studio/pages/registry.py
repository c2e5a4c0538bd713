"""The registry: groups, versions, one version beside the champion; approving and rejecting it."""

from collections.abc import Iterable, Mapping
from typing import Any

from studio.account.account import Account, StudioError
from studio.account.attempts import attempt, attempts
from studio.pages.lineage import execution_of, lineage_picture
from studio.pages.metrics import Metric, metrics_of
from studio.previews.objects import read_json, reports_beside

PAGE = 25
DECISIONS = ("Approved", "Rejected")
MOST_COMMENT = 1024  # characters that ApprovalDescription takes


def groups_page(account: Account, token: str | None) -> dict[str, Any]:
    """One page of the groups with the newest version of each."""
    client = account.client("sagemaker")
    more = {"NextToken": token} if token else {}
    listed = attempt(
        lambda: client.list_model_package_groups(
            MaxResults=PAGE, SortBy="CreationTime", SortOrder="Descending", **more
        )
    )
    found = (listed.value or {}).get("ModelPackageGroupSummaryList", [])
    newest = attempts(
        [lambda each=each: versions(account, each["ModelPackageGroupName"], 1)["ModelPackageSummaryList"] for each in found]  # type: ignore[misc]
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
    """One page of a group's versions; with their metrics, which take two requests a version, where that is asked for."""
    listed = attempt(lambda: versions(account, group, PAGE, token))
    found = (listed.value or {}).get("ModelPackageSummaryList", [])
    packages: list[Any] = [None] * len(found)
    if with_metrics:
        packages = [each.value for each in attempts([lambda arn=arn: describe(account, arn) for arn in _arns(found)])]  # type: ignore[misc]
    measured = read_metrics(account, packages) if with_metrics else [{} for _ in found]
    names = list(dict.fromkeys(name for each in measured for name in each))
    rows = [
        (entry, package or {}, metrics) for entry, package, metrics in zip(found, packages, measured, strict=True)
    ]
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
    read = attempts([lambda uri=uri: read_json(account, uri) if uri else None for uri in uris])  # type: ignore[misc]
    return [{metric.name: metric for metric in metrics_of(answer.value)} for answer in read]


def version_page(account: Account, group: str, version: str) -> dict[str, Any]:
    """One version with its metrics beside the champion's, its report, card and lineage."""
    arn = account.arn(f"model-package/{group}/{version}")
    package, approved, identity = attempts(
        [
            lambda: describe(account, arn),
            lambda: versions(account, group, 10, ModelApprovalStatus="Approved")["ModelPackageSummaryList"],
            lambda: account.identity,
        ]
    )
    package.required()
    champion = next((each for each in approved.value or [] if each["ModelPackageArn"] != arn), None)
    other = attempt(lambda: describe(account, champion["ModelPackageArn"])).value if champion else None
    own, theirs = read_metrics(account, [package.value, other])
    uri = statistics_uri(package.value)
    return {
        "group": group,
        "version": version,
        "package": package.value,
        "champion": other,
        "metrics": [(name, own.get(name), theirs.get(name)) for name in dict.fromkeys([*own, *theirs])],
        "reports": reports_beside(account, [uri]) if uri else [],
        "documents": dict(_documents(package.value.get("ModelMetrics", {}))),
        "card": _card(package.value),
        "execution": execution_of(package.value),
        "lineage": lineage_picture(account, package.value),
        "me": (identity.value or {}).get("Arn"),
        "decisions": DECISIONS,
    }


def decide(account: Account, group: str, version: str, status: str, comment: str) -> None:
    """Approve or reject a version; StudioError for another status, or a comment that is too long."""
    if status not in DECISIONS:
        raise StudioError(f"{status!r} is no decision: it is {' or '.join(DECISIONS)}.")
    if len(comment) > MOST_COMMENT:
        raise StudioError(f"The comment has {len(comment)} characters: {MOST_COMMENT} is the most.")
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
    import json

    content = package.get("ModelCard", {}).get("ModelCardContent")
    try:
        return json.loads(content) if content else None
    except ValueError:
        return content
