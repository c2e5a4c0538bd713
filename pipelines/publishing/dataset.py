"""The data of a user brought to S3."""

import hashlib
from pathlib import Path
from typing import Any

from pipelines.clients import exists
from pipelines.errors import PipelineError
from pipelines.settings.environment import Environment
from pipelines.settings.locations import DIGEST_LENGTH
from pipelines.settings.settings import Settings

SUFFIXES = (".csv", ".tsv", ".txt", ".parquet", ".gz", ".zip")
BLOCK = 1 << 20


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
        raise PipelineError(
            f"{path} is neither CSV nor Parquet by its name: save it as CSV, or give it one of {', '.join(SUFFIXES)}."
        )
    if path.stat().st_size == 0:
        raise PipelineError(f"The data file {path} is empty.")


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        content = hashlib.sha256()
        while block := stream.read(BLOCK):
            content.update(block)
    return content.hexdigest()[:DIGEST_LENGTH]
