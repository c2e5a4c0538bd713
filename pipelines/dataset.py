"""Where the data lies in S3: under its own hash, so that other content never hides behind the same URI."""

import hashlib
from pathlib import Path
from typing import Any

from pipelines.environment import Environment
from pipelines.errors import PipelineError
from pipelines.settings import Settings

SUFFIXES = (".csv", ".parquet")
DIGEST_LENGTH = 16
BLOCK = 1 << 20


def default_data_uri(settings: Settings, environment: Environment) -> str:
    """Where `run --data` puts the YAML's own file; the default of InputDataUri."""
    digest = settings.data.sha256[:DIGEST_LENGTH] if settings.data.sha256 else "latest"
    return f"s3://{environment.bucket}/{settings.name}/data/{digest}/{settings.data.file}"


def upload_data(s3: Any, path: Path, settings: Settings, environment: Environment) -> str:
    """Upload a file of the user's, unless the same content is there; returns its S3 URI."""
    check_data_file(path)
    key = f"{settings.name}/data/{_digest(path)}/{path.name}"
    if not exists(s3, environment.bucket, key):
        s3.upload_file(str(path), environment.bucket, key)
    return f"s3://{environment.bucket}/{key}"


def check_data_file(path: Path) -> None:
    """PipelineError where a data file cannot be used at all; the ValidateData step looks inside."""
    if not path.exists():
        raise PipelineError(f"There is no data file {path}: `make data` fetches the sample data.")
    if not path.is_file():
        raise PipelineError(f"{path} is not a file: give one CSV or Parquet file.")
    if path.suffix.lower() not in SUFFIXES:
        raise PipelineError(f"{path} is neither .csv nor .parquet: convert it, or mend its name.")
    if path.stat().st_size == 0:
        raise PipelineError(f"The data file {path} is empty.")


def exists(s3: Any, bucket: str, key: str) -> bool:
    """Whether an object is there."""
    from botocore.exceptions import ClientError

    try:
        s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return False
        raise
    return True


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        content = hashlib.sha256()
        while block := stream.read(BLOCK):
            content.update(block)
    return content.hexdigest()[:DIGEST_LENGTH]
