"""What a fetched report says first: version, author, what it was made of. The job that writes it cannot know."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from html import escape
from itertools import islice
from pathlib import Path
from typing import Any

from pipelines.clients import S3Client, SageMakerClient, exists, split_uri
from pipelines.definition.champion_input import PARAMETER as CHAMPION
from pipelines.definition.evaluation_files import RESERVE_OUTPUT, RESERVE_SUMMARY
from pipelines.document.cache_forecast import defaults
from pipelines.document.walk import steps
from pipelines.versions.evaluation_report import GateResult, download_report, read_evaluation
from pipelines.versions.execution_evaluation import relaxed_gates, validation_uri
from pipelines.versions.four_eyes import AUTHOR
from pipelines.versions.lineage import recorded_definition
from pipelines.versions.registry import listed
from pipelines.watching.executions import ExecutionSummary, parameters_of

HEAD = b"<dl class='about'>"  # where evaluation/report_head.py begins
MOST_VERSIONS = 20  # among which the champion is looked for, the newest first
SHORT = 12  # digits of a hash
VALIDATION = "validation"  # the folder beside a report that holds the one on its data


@dataclass(frozen=True)
class Fact:
    """A line of the head; `link` leads to more, from where the report lies."""

    name: str
    text: str
    link: str | None = None

    @property
    def html(self) -> str:
        """As the report's own lines are."""
        text = escape(self.text)
        linked = f"<a href='{escape(self.link)}'>{text}</a>" if self.link else text
        return f"<div><dt>{escape(self.name)}</dt><dd>{linked}</dd></div>"


def with_facts(page: bytes, facts: list[Fact]) -> bytes:
    """The page with the facts before its own; unchanged where it has no head."""
    return page.replace(HEAD, HEAD + "".join(fact.html for fact in facts).encode(), 1)


def fetch_report(
    sagemaker: SageMakerClient, s3: S3Client, group: str, execution: ExecutionSummary, uri: str, folder: Path
) -> list[Path]:
    """Copy an evaluation's report into folder, with its facts, and the report on its data into a folder beside it."""
    validation = validation_uri(sagemaker, execution)
    facts = report_facts(sagemaker, s3, group, execution)
    gates = read_evaluation(s3, uri).gates if exists(s3, *split_uri(uri)) else ()
    relaxed = relaxed_by_parameters(sagemaker, execution, gates)
    facts += [Fact("Relaxed by parameters", "; ".join(relaxed))] if relaxed else []
    if validation is not None:
        download_report(s3, validation, folder / VALIDATION)
    return download_report(s3, uri, folder, lambda page: with_facts(page, facts))


def relaxed_by_parameters(
    sagemaker: SageMakerClient, execution: ExecutionSummary, gates: tuple[GateResult, ...]
) -> list[str]:
    """The gates that an execution was started with laxer than the pipeline has them, a clause each."""
    if not gates:
        return []
    definition = json.loads(recorded_definition(sagemaker, execution.arn))
    return relaxed_gates(gates, parameters_of(sagemaker, execution.arn), defaults(definition))


def registered_package(sagemaker: SageMakerClient, execution: ExecutionSummary) -> Mapping[str, Any] | None:
    """The version that an execution has registered; None where it has registered none."""
    arns = [step.metadata["RegisterModel"]["Arn"] for step in execution.steps if "RegisterModel" in step.metadata]
    return sagemaker.describe_model_package(ModelPackageName=arns[-1]) if arns else None


def report_facts(sagemaker: SageMakerClient, s3: S3Client, group: str, execution: ExecutionSummary) -> list[Fact]:
    """Version, author, commit, data and champion of an execution's evaluation; what is not recorded is left out."""
    definition = json.loads(recorded_definition(sagemaker, execution.arn))
    parameters = {**defaults(definition), **parameters_of(sagemaker, execution.arn)}
    package = registered_package(sagemaker, execution)
    facts = [_version(group, package), *_reserve(package), _start(sagemaker, execution)]
    commits = [_commit(step.arguments) for step in steps(definition)]
    facts += [Fact("Commit", commit) for commit in commits if commit][:1]
    facts += _data(s3, validation_uri(sagemaker, execution))
    number = _version_with(sagemaker, group, str(parameters.get(CHAMPION, "")))
    return [*facts, Fact("Champion's version", str(number))] if number is not None else facts


def _version(group: str, package: Mapping[str, Any] | None) -> Fact:
    if package is None:
        return Fact("Model", f"{group}, not registered")
    status, moment = package["ModelApprovalStatus"], minute(package["CreationTime"])
    return Fact("Model", f"{group}, version {package['ModelPackageVersion']}, {status}, registered {moment}")


def _reserve(package: Mapping[str, Any] | None) -> list[Fact]:
    """What the rows that were kept back said as the version was promoted; nothing where none were."""
    properties = (package or {}).get("CustomerMetadataProperties", {})
    if RESERVE_OUTPUT not in properties:
        return []
    return [Fact("Reserve", properties.get(RESERVE_SUMMARY, "not scored yet: a promotion does that"))]


def _start(sagemaker: SageMakerClient, execution: ExecutionSummary) -> Fact:
    description = sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution.arn)
    author = AUTHOR.search(description.get("PipelineExecutionDescription", ""))
    who = author["address"] if author else execution.who
    return Fact("Started", f"{minute(execution.started)}{f' by {who}' if who else ''}")


def minute(moment: datetime) -> str:
    """A moment as people read it."""
    return f"{moment.astimezone(timezone.utc):%Y-%m-%d %H:%M} UTC"


def _commit(arguments: Mapping[str, Any]) -> str | None:
    found: str | None = arguments.get("CustomerMetadataProperties", {}).get("git_commit")
    return found


def _data(s3: S3Client, uri: str | None) -> list[Fact]:
    """File and hash, and why rows of it were rejected."""
    if uri is None or not exists(s3, *split_uri(uri)):
        return []
    bucket, key = split_uri(uri)
    document = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    facts = [Fact("Data", f"{document['file']}, SHA-256 {str(document.get('sha256'))[:SHORT]}")]
    reasons = [
        f"{each['reason']} ({each['unexpected_rows']:,})"
        for each in document.get("expectations", ())
        if each["level"] == "rows" and each["unexpected_rows"]
    ]
    rows = document["rows"]
    told = f"{rows['rejected']:,} of {rows['read']:,}{': ' if reasons else ''}{'; '.join(reasons)}"
    return [*facts, Fact("Rejected rows", told, f"{VALIDATION}/index.html")]


def _version_with(sagemaker: SageMakerClient, group: str, model_data: str) -> int | None:
    """The version whose model lies there, among the newest."""
    if not model_data or model_data.endswith("/none.json"):
        return None
    for entry in islice(listed(sagemaker, group), MOST_VERSIONS):
        package = sagemaker.describe_model_package(ModelPackageName=entry["ModelPackageArn"])
        containers = package.get("InferenceSpecification", {}).get("Containers") or [{}]
        if containers[0].get("ModelDataUrl") == model_data:
            return int(entry["ModelPackageVersion"])
    return None
