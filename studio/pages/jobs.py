"""Jobs: lists of each kind, one job with its inputs, outputs, metrics and the end of its log."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from studio.account.account import Account
from studio.account.attempts import Answer, attempt, attempts
from studio.errors import StudioError
from studio.pages.logs import Tail, tail

PAGE = 25
# What a description says of how a job went, not of what it was asked to do.
OUTCOME = (
    "Status", "Time", "Arn", "ResponseMetadata", "FailureReason", "FinalMetricDataList", "ModelArtifacts",
    "SecondaryStatusTransitions", "BillableTimeInSeconds", "TrainingTimeInSeconds", "ExitMessage", "Counters",
    "BestTrainingJob", "ProfilingStatus", "LastModifiedBy", "CreatedBy", "ExperimentConfig",
)  # fmt: skip


@dataclass(frozen=True)
class JobKind:
    """How SageMaker names one kind of job in its operations, answers and log groups."""

    path: str
    title: str
    noun: str
    log_group: str
    metadata: str

    @property
    def name_field(self) -> str:
        """The field that holds a job's name."""
        return f"{self.noun}Name"

    def describe(self, account: Account, name: str) -> Mapping[str, Any]:
        """The job's description."""
        client = account.client("sagemaker")
        description: Mapping[str, Any] = getattr(client, f"describe_{_snake(self.noun)}")(**{self.name_field: name})
        return description

    def page(self, account: Account, token: str | None, contains: str = "") -> Mapping[str, Any]:
        """One page of the list, newest first."""
        request: dict[str, Any] = {"MaxResults": PAGE, "SortBy": "CreationTime", "SortOrder": "Descending"}
        if token:
            request["NextToken"] = token
        if contains:
            request["NameContains"] = contains
        found: Mapping[str, Any] = getattr(account.client("sagemaker"), f"list_{_snake(self.noun)}s")(**request)
        return found

    @property
    def summaries(self) -> str:
        """The field of a list's answer that holds its entries."""
        return f"{self.noun}Summaries"

    @property
    def status_field(self) -> str:
        """The field that holds a job's status."""
        return f"{self.noun}Status"


KINDS = {
    kind.path: kind
    for kind in (
        JobKind("processing", "Processing", "ProcessingJob", "/aws/sagemaker/ProcessingJobs", "ProcessingJob"),
        JobKind("training", "Training", "TrainingJob", "/aws/sagemaker/TrainingJobs", "TrainingJob"),
        JobKind("transform", "Batch transform", "TransformJob", "/aws/sagemaker/TransformJobs", "TransformJob"),
        JobKind("tuning", "Tuning", "HyperParameterTuningJob", "/aws/sagemaker/TrainingJobs", "TuningJob"),
    )
}


def kind_of(path: str) -> JobKind:
    """The kind with this path; StudioError where there is none."""
    if path not in KINDS:
        raise StudioError(f"There is no kind of job {path}: there are {', '.join(KINDS)}.")
    return KINDS[path]


def job_of(metadata: Mapping[str, Any]) -> tuple[JobKind, str] | None:
    """The job that a step's metadata names, as kind and name."""
    for kind in KINDS.values():
        if kind.metadata in metadata:
            return kind, str(metadata[kind.metadata].get("Arn", "")).rpartition("/")[2]
    return None


def list_page(account: Account, path: str, token: str | None, contains: str) -> dict[str, Any]:
    """A page of jobs of one kind."""
    kind = kind_of(path)
    answer = attempt(lambda: kind.page(account, token, contains))
    found = answer.value or {}
    return {"kind": kind, "kinds": KINDS.values(), "jobs": answer, "rows": found.get(kind.summaries, []),
            "next": found.get("NextToken"), "contains": contains}  # fmt: skip


def job_page(account: Account, path: str, name: str) -> dict[str, Any]:
    """One job with the end of its log; a tuning job with its trials."""
    kind = kind_of(path)
    separator = "-" if path == "tuning" else "/"
    reads = [lambda: kind.describe(account, name), lambda: tail(account, kind.log_group, name + separator)]
    if path == "tuning":
        reads.append(lambda: trials(account, name))
    description, log, *rest = attempts(reads)
    described = description.required()
    return {"kind": kind, "name": name, "job": described, "log": log, "trials": rest[0] if rest else None,
            "facts": facts(described), "links": dict(places(described))}  # fmt: skip


def trials(account: Account, name: str) -> list[Mapping[str, Any]]:
    """The newest 100 training jobs of a tuning job, the best first."""
    found = account.client("sagemaker").list_training_jobs_for_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=name, MaxResults=100, SortBy="FinalObjectiveMetricValue", SortOrder="Descending"
    )
    return list(found.get("TrainingJobSummaries", []))


def facts(description: Mapping[str, Any]) -> dict[str, Any]:
    """What the job was asked to do: its request without names, times and results."""
    return {key: value for key, value in description.items() if not key.endswith(OUTCOME)}


def places(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every S3 location within a description, by where it stands there."""
    if isinstance(value, Mapping):
        name = value.get("InputName") or value.get("OutputName") or value.get("ChannelName")
        for key, item in value.items():
            if key != "ResponseMetadata":
                yield from places(item, f"{path} {name or key}" if name else f"{path}.{key}".strip("."))
    elif isinstance(value, list):
        for item in value:
            yield from places(item, path)
    elif isinstance(value, str) and value.startswith("s3://"):
        yield path.strip(), value


def log_of(account: Account, metadata: Mapping[str, Any], lines: int) -> Answer[Tail] | None:
    """The end of the log of a step's job; None for a step without one."""
    job = job_of(metadata)
    if job is None:
        return None
    kind, name = job
    return attempt(lambda: tail(account, kind.log_group, name + ("-" if kind.path == "tuning" else "/"), lines))


def _snake(noun: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in noun).lstrip("_")
