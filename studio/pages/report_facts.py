"""What a report is about, to be read above it: the job that writes one knows neither its execution nor its version."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from studio.account.account import Account
from studio.account.attempts import attempts, attempts_for
from studio.pages.gates import gates_of
from studio.pages.jobs import KINDS, job_of
from studio.pages.metrics import is_number
from studio.previews.objects import read_json, reports_beside

if TYPE_CHECKING:
    from studio.pages.execution import Execution

CHECKED = "validation.json"  # what a job that checks data writes: `rows`, and what was expected of them
ARTIFACT = "model.tar.gz"  # as training jobs call what they made
MOST_VERSIONS = 20  # among which a model is looked for, the newest first
SHORT = 12  # digits of a hash
# Properties of a version: rows that were kept back until a promotion, and what they said of it then, in a sentence.
RESERVE, SAID = "reserve", "reserve_summary"


@dataclass(frozen=True)
class Fact:
    """A name and what it says; `link` leads to more."""

    name: str
    text: str
    link: str | None = None


def facts_of(account: Account, execution: Execution) -> list[Fact]:
    """Version, reserve, start, commit, data, rejected rows, champion and relaxed limits, where they are recorded."""
    arns = [run.metadata["RegisterModel"]["Arn"] for run in execution.steps if "RegisterModel" in run.metadata]
    asked = list(_registrations(execution))
    version, checked, champion = attempts(
        [
            partial(_version, account, arns, asked),
            partial(_checked, account, execution),
            partial(_champion, account, asked, execution.parameters),
        ]
    )
    relaxed = [
        f"{gate.text}: {gate.right:,g} instead of {gate.usual:,g}"
        for gate in gates_of(account, execution.definition, execution.parameters, {})
        if gate.relaxed
    ]
    return [
        *(version.value or []),
        _start(execution),
        *_commit(asked),
        *(checked.value or _inputs(execution.parameters)),
        *(champion.value or []),
        *([Fact("Limits relaxed by parameters", "; ".join(relaxed))] if relaxed else []),
    ]


def _registrations(execution: Execution) -> Iterator[Mapping[str, Any]]:
    """The arguments of the steps that register a version, whether they ran or not."""
    for step in execution.definition.steps:
        arguments = step.document.get("Arguments")
        if step.kind == "RegisterModel" and isinstance(arguments, Mapping):
            yield arguments


def _version(account: Account, arns: list[str], asked: Iterable[Mapping[str, Any]]) -> list[Fact]:
    if not arns:
        groups = [each.get("ModelPackageGroupName") for each in asked]
        return [Fact("Model", f"{group}, not registered") for group in groups if isinstance(group, str)]
    package = account.client("sagemaker").describe_model_package(ModelPackageName=arns[-1])
    place = arns[-1].partition("model-package/")[2]
    status = package.get("ModelApprovalStatus") or package.get("ModelPackageStatus")
    text = f"{place.replace('/', ' version ')}, {status}, registered {_moment(package['CreationTime'])}"
    return [Fact("Model", text, f"/registry/{place}"), *_reserve(package.get("CustomerMetadataProperties") or {})]


def _reserve(properties: Mapping[str, str]) -> list[Fact]:
    if RESERVE not in properties:
        return []
    return [Fact("Reserve", properties.get(SAID, "not scored yet: a promotion does that"))]


def _start(execution: Execution) -> Fact:
    who = execution.about.get("CreatedBy", {})
    name = who.get("UserProfileName") or str(who.get("IamIdentity", {}).get("Arn", "")).rpartition("/")[2]
    said = execution.about.get("PipelineExecutionDescription", "")
    text = f"{_moment(execution.about['CreationTime'])}{f' by {name}' if name else ''}{f': {said}' if said else ''}"
    link = f"/pipelines/{execution.pipeline}/executions/{execution.id}"
    return Fact("Execution", f"{execution.id}, started {text}", link)


def _commit(asked: Iterable[Mapping[str, Any]]) -> list[Fact]:
    properties = [each.get("CustomerMetadataProperties") for each in asked]
    known = [each for each in properties if isinstance(each, Mapping)]
    found = [text for each in known for name, text in each.items() if "commit" in name and isinstance(text, str)]
    return [Fact("Commit", text) for text in found[:1]]


def _inputs(parameters: Mapping[str, str]) -> list[Fact]:
    """The objects that the execution was given, where no job tells of its data."""
    return [
        Fact(name, uri, _object(uri)) for name, uri in parameters.items() if uri.startswith("s3://") and uri[-1] != "/"
    ]


def _checked(account: Account, execution: Execution) -> list[Fact]:
    """File, hash and rejected rows as the job that checked the data has written them."""
    jobs = [job_of(run.metadata) for run in execution.steps]
    names = [job[1] for job in jobs if job is not None and job[0].path == "processing"]
    described = attempts_for(names, lambda name: KINDS["processing"].describe(account, name))
    uris = [f"{folder}/{CHECKED}" for answer in described for folder in _folders(answer.value or {})]
    read = attempts_for(uris, lambda uri: read_json(account, uri))
    for uri, answer in zip(uris, read, strict=True):
        facts = list(_of_data(answer.value)) if isinstance(answer.value, Mapping) else []
        if facts:
            page = next(iter(reports_beside(account, [uri])), uri)
            return [*facts[:-1], Fact(facts[-1].name, facts[-1].text, _object(page))]
    return []


def _of_data(document: Mapping[str, Any]) -> Iterator[Fact]:
    """The data's file, if it is named, and in the end how many rows were rejected and why."""
    rows = document.get("rows")
    if not isinstance(rows, Mapping) or not (is_number(rows.get("read")) and is_number(rows.get("rejected"))):
        return
    if document.get("file"):
        digest = str(document.get("sha256") or "")[:SHORT]
        yield Fact("Data", f"{document['file']}{f', SHA-256 {digest}' if digest else ''}")
    expected = document.get("expectations")
    broken = [each for each in expected if isinstance(each, Mapping)] if isinstance(expected, list) else []
    reasons = [
        f"{each.get('reason')} ({each['unexpected_rows']:,})"
        for each in broken
        if each.get("level") == "rows" and is_number(each.get("unexpected_rows")) and each["unexpected_rows"] > 0
    ]
    text = f"{rows['rejected']:,} of {rows['read']:,}{': ' if reasons else ''}{'; '.join(reasons)}"
    yield Fact("Rejected rows", text)


def _champion(account: Account, asked: Iterable[Mapping[str, Any]], parameters: Mapping[str, str]) -> list[Fact]:
    """The version whose model the execution was given to compare with, among the newest of its group."""
    given = {uri: name for name, uri in parameters.items() if uri.startswith("s3://") and uri.endswith(ARTIFACT)}
    groups = [each.get("ModelPackageGroupName") for each in asked]
    if not given or not groups or not isinstance(groups[0], str):
        return []
    client = account.client("sagemaker")
    listed = client.list_model_packages(
        ModelPackageGroupName=groups[0], SortBy="CreationTime", SortOrder="Descending", MaxResults=MOST_VERSIONS
    )
    arns = [each["ModelPackageArn"] for each in listed.get("ModelPackageSummaryList", [])]
    for arn, answer in zip(
        arns, attempts_for(arns, lambda arn: client.describe_model_package(ModelPackageName=arn)), strict=True
    ):
        containers = (answer.value or {}).get("InferenceSpecification", {}).get("Containers") or [{}]
        if containers[0].get("ModelDataUrl") in given:
            place = arn.partition("model-package/")[2]
            name = given[containers[0]["ModelDataUrl"]]
            return [Fact("Champion", f"{place.replace('/', ' version ')}, given as {name}", f"/registry/{place}")]
    return []


def _folders(job: Mapping[str, Any]) -> Iterator[str]:
    for output in job.get("ProcessingOutputConfig", {}).get("Outputs", []):
        uri = output.get("S3Output", {}).get("S3Uri", "").rstrip("/")
        if uri:
            yield uri


def _object(uri: str) -> str:
    return f"/objects?uri={quote(uri, safe='')}"


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(timezone.utc):%Y-%m-%d %H:%M} UTC"
