"""The job that scores a version on its reserve, the rows that were kept back until a promotion; and what it found.

The job is the version's own evaluation with other inputs: the same image, code, role, machines, network and limits. The
score is kept with the version, so that a version is scored once.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from deployment.batch import new_name
from deployment.endpoint import Announce, Waiting
from deployment.errors import DeploymentError
from deployment.evaluation_job import evaluation_of, job_input, job_like
from deployment.job_end import job_end, reason_of
from deployment.packages import Package, SageMakerClient

PROPERTY = "reserve"  # of a version: where its reserve lies
SUMMARY = f"{PROPERTY}_summary"  # of a version: what its reserve said, for whoever reads its report
MODULE = "evaluation.reserve"
LIMITS = ("min_r2", "max_mape", "max_coverage_gap")
FILE = "reserve.json"
NONE = "none"
BUCKET_AND_KEY = re.compile(r"s3://([^/]+)/(.+)")


@dataclass(frozen=True)
class Score:
    """What the reserve said of a version: errors as in an evaluation, and the gates that it misses."""

    rows: int
    rmse: float
    mape: float
    r2: float
    coverage: float
    missed: tuple[str, ...] = ()

    @classmethod
    def of_version(cls, properties: Mapping[str, str]) -> "Score | None":
        """As `properties` has written it; None where the version was not scored yet."""
        found = {name: properties.get(f"{PROPERTY}_{name}") for name in cls.__dataclass_fields__}
        if None in found.values():
            return None
        missed = tuple(name for name in str(found.pop("missed")).split() if name != NONE)
        rows = int(str(found.pop("rows")))
        return cls(rows=rows, missed=missed, **{name: float(str(value)) for name, value in found.items()})

    @classmethod
    def of_job(cls, text: bytes | str) -> "Score":
        """As evaluation/reserve.py writes it; ValueError where it is not of its layout."""
        try:
            document = json.loads(text)
            metrics = {name: float(document["regression_metrics"][name]["value"]) for name in ("rmse", "mape", "r2")}
            coverage = float(document["interval"]["measured"]["value"])
            missed = tuple(map(str, document["gates"]["missed"]))
            return cls(rows=int(document["data"]["test_rows"]), coverage=coverage, missed=missed, **metrics)
        except (KeyError, TypeError) as error:
            raise ValueError(f"{FILE} does not have the expected layout: {error}.") from None

    @property
    def properties(self) -> dict[str, str]:
        """The properties of a version that hold it."""
        values = {**vars(self), "missed": " ".join(self.missed) or NONE}
        return {**{f"{PROPERTY}_{name}": str(value) for name, value in values.items()}, SUMMARY: self.summary}

    @property
    def sentence(self) -> str:
        """The numbers, for a person."""
        return (
            f"{self.rows:,} rows that nobody had looked at: RMSE {self.rmse:,.6g}, MAPE {self.mape:.1%}, "
            f"R2 {self.r2:.4f}, {self.coverage:.1%} inside the interval"
        )

    @property
    def summary(self) -> str:
        """The sentence, and the gates that the numbers miss."""
        return f"{self.sentence}; misses {' and '.join(self.missed)}" if self.missed else self.sentence


@dataclass(frozen=True)
class ReserveJob:
    """A processing job on the rows at `reserve`; `evaluation` is DescribeProcessingJob's answer about the version's."""

    package: Package
    reserve: str
    evaluation: Mapping[str, Any]
    name: str

    def request(self) -> dict[str, Any]:
        """The request of CreateProcessingJob."""
        arguments = self._limits(self.evaluation["AppSpecification"].get("ContainerArguments", []))
        reserve = job_input(PROPERTY, self.reserve)
        place = {PROPERTY: self.folder}
        return job_like(self.evaluation, self.name, self.package, MODULE, arguments, [reserve], place)

    @property
    def folder(self) -> str:
        """Where its result lies: s3://bucket/project/reserve/NAME."""
        bucket, _ = _place(self.reserve)
        return f"s3://{bucket}/{self.package.group}/{PROPERTY}/{self.name}"

    def _limits(self, arguments: list[str]) -> list[str]:
        given = dict(zip(arguments[::2], arguments[1::2], strict=True))
        return [part for name in LIMITS for part in (f"--{name}", given[f"--{name}"])]


@dataclass(frozen=True)
class ReserveRun:
    """What a job is run with; `log` is where the log of a job lies, {} standing for its name."""

    sagemaker: SageMakerClient
    s3: Any
    waiting: Waiting
    announce: Announce
    log: str

    def score(self, package: Package, reserve: str, execution: str) -> Score:
        """Score a version that an execution has made. DeploymentError with the job's reason where that fails.

        Ctrl-C stops the job; the version is then as if it had not been scored.
        """
        name = new_name(package.group, package.version, PROPERTY)
        job = ReserveJob(package, reserve, self._evaluation(package, execution), name)
        self.announce(f"The reserve of version {package.version} is scored, which happens once: processing job {name}")
        self.sagemaker.create_processing_job(**job.request())
        describe = partial(self.sagemaker.describe_processing_job, ProcessingJobName=name)
        try:
            ended = job_end(describe, "ProcessingJobStatus", self.waiting, self.announce)
        except KeyboardInterrupt:
            self.sagemaker.stop_processing_job(ProcessingJobName=name)
            self.announce("The processing job is stopped.")
            raise
        if ended["ProcessingJobStatus"] != "Completed":
            raise DeploymentError(
                f"The processing job {name}, which scores the reserve, is {ended['ProcessingJobStatus']}: "
                f"{reason_of(ended)}. Nothing is promoted. Its log: {self.log.format(name)}."
            )
        bucket, key = _place(f"{job.folder}/{FILE}")
        try:
            return Score.of_job(self.s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        except ValueError as error:
            raise DeploymentError(f"s3://{bucket}/{key} is not the score of a reserve: {error}") from None

    def _evaluation(self, package: Package, execution: str) -> Mapping[str, Any]:
        """The job that evaluated the version."""
        found = evaluation_of(self.sagemaker, execution)
        if found is not None:
            return found
        raise DeploymentError(
            f"Version {package.version} keeps a reserve, and the evaluation that says how to score it is gone from "
            f"{execution}: run the pipeline again, and promote the version that comes of it."
        )


def _place(uri: str) -> tuple[str, str]:
    """Bucket and key of s3://bucket/key."""
    found = BUCKET_AND_KEY.fullmatch(uri)
    if found is None:
        raise DeploymentError(f"{uri} is not the address of an object in S3.")
    return found[1], found[2]
