"""batch: predict a whole file, or a folder of Parquet files, by one version, without an endpoint."""

import argparse
import tempfile
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from command_line.session import Session
    from deployment.golden import GoldenRows
    from deployment.packages import Package

INSTANCE_TYPE = "ml.m5.large"


def batch(session: "Session", options: argparse.Namespace) -> None:
    """batch"""
    from command_line.parquet_batch import is_folder, parquet_batch

    if is_folder(options.input):
        return parquet_batch(session, options)
    return _batch_of_file(session, options)


def _batch_of_file(session: "Session", options: argparse.Namespace) -> None:
    from deployment.batch import Batch, BatchRun, new_name
    from deployment.batch_table import column_of, open_table
    from deployment.errors import DeploymentError
    from deployment.packages import named_package
    from pipelines.publishing.publish import create_bucket_if_local

    if not session.has_bucket:
        raise DeploymentError("Set SAGEMAKER_BUCKET to the project's bucket, or use --local.")
    if options.stage is not None:
        session.endpoint(options.stage)  # one that there is
    target, output = session.settings.data.target, _output_of(options.output)
    with tempfile.TemporaryDirectory() as name:
        source = _brought(session, options.input, Path(name))
        table = open_table(source)
        if column_of(target) in table.header:
            raise DeploymentError(f"{options.input} has a column {column_of(target)}: rename it.")
        sagemaker, approve = session.client("sagemaker"), session.command("run_pipeline.py", "approve")
        package = named_package(sagemaker, session.settings.name, options.version.removeprefix("v"), approve)
        if session.local:
            create_bucket_if_local(session.client("s3"), session.environment)
        job = new_name(session.settings.name, package.version)
        place = session.environment.bucket, f"{session.settings.name}/batch/{job}"
        run = BatchRun(
            sagemaker, session.client("s3"), session.waiting, session.console.line, session.log_of("transform")
        )
        written = Path(name) / "predicted.csv" if output is None else output
        rows = run.run(Batch(job, package, _machines(session, options), *place), table, _fields(session, package),
                       written, target)  # fmt: skip
        if output is None:
            session.client("s3").upload_file(str(written), *_split(options.output))
        if options.stage is not None:
            _keep(session, package, options.stage, written, job)
    if session.console.json_output:
        session.console.document({"version": package.version, "rows": rows, "output": options.output, "job": job})
    else:
        many = f"{rows:,} rows are" if rows > 1 else "1 row is"
        said = f"{many} predicted by version {package.version}: {options.output}"
        session.console.line(said, style="green")


def _keep(session: "Session", package: "Package", stage: str, predicted: Path, job: str) -> None:
    """Keep the predictions with what the stage has captured, and say where."""
    from deployment.batch_capture import BatchCapture
    from pipelines.errors import PipelineError
    from pipelines.watching.truth import KEY, identity_key

    data, golden = session.settings.data, _golden(session, package)

    def key_of(row: Mapping[str, str]) -> str | None:
        if row.get(KEY):
            return row[KEY]
        try:
            return identity_key(row, data) if data.identity and all(row.get(name) for name in data.identity) else None
        except PipelineError:  # not a date: the row is counted among those without an id
            return None

    folder = f"{session.settings.name}/capture/{stage}/{session.endpoint(stage)}"
    capture = BatchCapture(session.environment.bucket, folder, list(golden.instances[0]), golden.model, key_of)
    kept = capture.keep(session.client("s3"), predicted, job, datetime.now(timezone.utc))
    session.console.line(f"The predictions are kept with what {stage} has captured: {kept.uri}")
    if kept.without_id:
        session.console.line(
            f"{kept.without_id:,} of {kept.rows:,} rows have neither {KEY} nor {' and '.join(data.identity)}: no price "
            "can be joined with them."
        )


def _fields(session: "Session", package: "Package") -> list[str]:
    """The model's fields in their order: those of the golden rows that were kept when it was evaluated."""
    return list(_golden(session, package).instances[0])


def _golden(session: "Session", package: "Package") -> "GoldenRows":
    from command_line.guarded_deployment import golden_of
    from deployment.errors import DeploymentError

    golden = golden_of(session.client, package.arn)
    if golden is None:
        raise DeploymentError(
            f"Version {package.version} was evaluated without golden rows, which record its fields: train a new one."
        )
    return golden


def _machines(session: "Session", options: argparse.Namespace) -> Any:
    from command_line.guarded_deployment import serving_role
    from deployment.specification import Hosting

    environment = session.environment
    return Hosting(
        options.instance_type or INSTANCE_TYPE,
        options.instance_count,
        serving_role(environment, session.local),
        environment.kms_key,
        environment.subnets,
        environment.security_group_ids,
    )


def _output_of(text: str) -> Path | None:
    """The file to write; None for an object of S3. DeploymentError where it cannot be written."""
    from deployment.errors import DeploymentError

    if not text.lower().endswith(".csv"):
        raise DeploymentError(f"The output {text} must end in .csv: the predictions are written as CSV.")
    if text.startswith("s3://"):
        _split(text)
        return None
    path = Path(text)
    if not path.parent.is_dir():
        raise DeploymentError(f"The output {text} cannot be written: there is no folder {path.parent}.")
    return path


def _brought(session: "Session", text: str, folder: Path) -> Path:
    """The input on this machine; one of S3 is downloaded."""
    from botocore.exceptions import ClientError

    from deployment.errors import DeploymentError

    if not text.startswith("s3://"):
        return Path(text)
    bucket, key = _split(text)
    path = folder / key.rpartition("/")[2]
    try:
        session.client("s3").download_file(bucket, key, str(path))
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("404", "NoSuchKey", "NoSuchBucket"):
            raise
        raise DeploymentError(f"{text} does not exist.") from None
    return path


def _split(uri: str) -> tuple[str, str]:
    from deployment.errors import DeploymentError
    from pipelines.clients import split_uri

    bucket, key = split_uri(uri)
    if not bucket or not key or key.endswith("/"):
        raise DeploymentError(f"{uri} does not name an object, such as s3://bucket/folder/houses.csv.")
    return bucket, key
