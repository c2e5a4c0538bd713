"""A batch transform of one file by one version: its requests, and waiting for its end.

Each record is the number of a row and the model's fields. The number is kept from the model (InputFilter) and joined
with its answer (JoinSource, OutputFilter), so nothing else of a person's file leaves the machine.
"""

import secrets
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any

from deployment.batch_table import Table, merge, write_records
from deployment.endpoint import Announce, Waiting
from deployment.errors import DeploymentError
from deployment.job_end import job_end, reason_of
from deployment.packages import Package, SageMakerClient
from deployment.specification import TAG_PACKAGE, TAG_VERSION, Hosting, name_beginning, tag_list

CSV = "text/csv"
INPUT, OUTPUT = "input.csv", "input.csv.out"


@dataclass(frozen=True)
class Batch:
    """One job: which version, on which machines, and the folder in S3 (s3://bucket/prefix) of its input and output."""

    name: str
    package: Package
    hosting: Hosting
    bucket: str
    prefix: str

    def model_request(self) -> dict[str, Any]:
        """The request of CreateModel."""
        request: dict[str, Any] = {
            "ModelName": self.name,
            "ExecutionRoleArn": self.hosting.role_arn,
            "PrimaryContainer": {"ModelPackageName": self.package.arn},
            "Tags": self._tags,
        }
        if self.hosting.subnets:
            groups = list(self.hosting.security_group_ids)
            request["VpcConfig"] = {"Subnets": list(self.hosting.subnets), "SecurityGroupIds": groups}
        return request

    def job_request(self) -> dict[str, Any]:
        """The request of CreateTransformJob."""
        key = self.hosting.kms_key
        location = f"s3://{self.bucket}/{self.prefix}"
        return {
            "TransformJobName": self.name,
            "ModelName": self.name,
            "BatchStrategy": "MultiRecord",
            "TransformInput": {
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"{location}/{INPUT}"}},
                "ContentType": CSV,
                "SplitType": "Line",
            },
            "TransformOutput": {
                "S3OutputPath": f"{location}/output",
                "Accept": CSV,
                "AssembleWith": "Line",
                **({"KmsKeyId": key} if key else {}),
            },
            "TransformResources": {
                "InstanceType": self.hosting.instance_type,
                "InstanceCount": self.hosting.instance_count,
                **({"VolumeKmsKeyId": key} if key else {}),
            },
            "DataProcessing": {"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-1]"},
            "Tags": self._tags,
        }

    @property
    def output_key(self) -> str:
        """Where the answers lie in the bucket."""
        return f"{self.prefix}/output/{OUTPUT}"

    @property
    def _tags(self) -> list[dict[str, str]]:
        return tag_list({TAG_PACKAGE: self.package.arn, TAG_VERSION: str(self.package.version)})


def new_name(project: str, version: int, kind: str = "batch") -> str:
    """A name that no other job has, such as house-prices-batch-v7-20261128101112-1f2e."""
    ending = f"-v{version}-{datetime.now(timezone.utc):%Y%m%d%H%M%S}-{secrets.token_hex(2)}"
    return name_beginning(f"{project}-{kind}", len(ending)) + ending


@dataclass(frozen=True)
class BatchRun:
    """What a batch is run with."""

    sagemaker: SageMakerClient
    s3: Any
    waiting: Waiting
    announce: Announce
    log: str

    def run(self, batch: Batch, table: Table, fields: list[str], output: Path, target: str) -> int:
        """Predict every row of a table and write it, with one more column, to `output`; how many rows there are.

        The model is deleted after it, input and answers of S3 too. Ctrl-C stops the job. DeploymentError with the
        service's reason where it fails; then `output` is as it was.
        """
        folder = output.parent
        records, answers = (folder / f".{output.name}.{kind}" for kind in ("records", "answers"))
        with ExitStack() as undo:
            for path in (records, answers):
                undo.callback(path.unlink, missing_ok=True)
            rows = write_records(table, fields, records)
            self.s3.upload_file(str(records), batch.bucket, f"{batch.prefix}/{INPUT}")
            undo.callback(self._remove_objects, batch)
            self.sagemaker.create_model(**batch.model_request())
            undo.callback(self.sagemaker.delete_model, ModelName=batch.name)
            self.announce(
                f"{rows:,} row{'s' * (rows > 1)} to version {batch.package.version}: transform job {batch.name}"
            )
            self.sagemaker.create_transform_job(**batch.job_request())
            self._await(batch.name)
            self.s3.download_file(batch.bucket, batch.output_key, str(answers))
            merge(table, answers, output, target)
        return rows

    def _await(self, name: str) -> None:
        try:
            description = self._ended(name)
        except KeyboardInterrupt:
            self.sagemaker.stop_transform_job(TransformJobName=name)
            self.announce("The transform job is stopped.")
            self._ended(name)
            raise
        status = description["TransformJobStatus"]
        if status != "Completed":
            raise DeploymentError(
                f"The transform job {name} is {status}: {reason_of(description)}. Its log: {self.log.format(name)}."
            )

    def _ended(self, name: str) -> Mapping[str, Any]:
        describe = partial(self.sagemaker.describe_transform_job, TransformJobName=name)
        return job_end(describe, "TransformJobStatus", self.waiting, self.announce)

    def _remove_objects(self, batch: Batch) -> None:
        for key in (f"{batch.prefix}/{INPUT}", batch.output_key):
            self.s3.delete_object(Bucket=batch.bucket, Key=key)
