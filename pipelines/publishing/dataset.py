"""The data of a user brought to S3."""

from pathlib import Path
from typing import Any

from pipelines.clients import exists
from pipelines.errors import PipelineError
from pipelines.settings.environment import Environment
from pipelines.settings.locations import DIGEST_LENGTH
from pipelines.settings.settings import Settings
from steps.data_set import Part, digest_of, parts_of
from steps.failure import JobError

SUFFIXES = (".csv", ".tsv", ".txt", ".parquet", ".gz", ".zip")


def upload_data(s3: Any, path: Path, settings: Settings, environment: Environment) -> str:
    """Upload a file, or the files of a folder, unless the same content is there; returns the S3 URI.

    The URI of a folder ends in a slash: what it names is then nothing but the folder.
    """
    parts = check_data(path)
    base = f"{settings.name}/data/{digest_of(parts)[:DIGEST_LENGTH]}/{path.resolve().name}"
    keys = {base if path.is_file() else f"{base}/{part.name}": part for part in parts}
    for key, part in keys.items():
        if not exists(s3, environment.bucket, key):
            s3.upload_file(str(part.path), environment.bucket, key)
    return f"s3://{environment.bucket}/{base}{'' if path.is_file() else '/'}"


def check_data(path: Path) -> list[Part]:
    """The files of a data set; PipelineError where one cannot be used at all. ValidateData looks inside."""
    if not path.exists():
        raise PipelineError(f"There is no data file {path}: `make data` fetches the sample data.")
    try:
        parts = parts_of(path)
    except JobError as error:
        raise PipelineError(str(error)) from None
    for part in parts:
        if part.path.suffix.lower() not in SUFFIXES:
            raise PipelineError(
                f"{part.path} is neither CSV nor Parquet by its name: save it as CSV, or give it one of "
                f"{', '.join(SUFFIXES)}."
            )
        if part.path.stat().st_size == 0:
            raise PipelineError(f"The data file {part.path} is empty.")
    return parts
