"""The data of a user brought to S3."""

import hashlib
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Any

from pipelines.clients import exists, split_uri
from pipelines.errors import PipelineError
from pipelines.settings.environment import Environment
from pipelines.settings.locations import DIGEST_LENGTH
from pipelines.settings.settings import Settings
from steps.data_set import Part, digest_of, is_data, parts_of
from steps.failure import JobError

SUFFIXES = (".csv", ".tsv", ".txt", ".parquet", ".gz", ".zip")
PARQUET = ".parquet"
SAMPLES = ("house_prices.parquet", "car_prices.csv")  # that `make data` brings
AT_ONCE = 8  # files that are on their way side by side
TELL_EVERY = 5.0  # seconds
Tell = Callable[[str], None]


def upload_data(
    s3: Any, path: Path, settings: Settings, environment: Environment, tell: Tell = lambda _line: None
) -> str:
    """Upload a file, or the files of a folder, unless the same content is there; returns the S3 URI.

    The URI of a folder ends in a slash: what it names is then nothing but the folder. `tell` is given a line on the
    progress every TELL_EVERY seconds.
    """
    parts = check_data(path)
    base = f"{settings.name}/data/{_place_of(path, parts)}/{path.resolve().name}"
    keys = {base if path.is_file() else f"{base}/{part.name}": part for part in parts}
    upload_parts(s3, environment.bucket, keys, tell)
    return f"s3://{environment.bucket}/{base}{'' if path.is_file() else '/'}"


def _place_of(path: Path, parts: list[Part]) -> str:
    """The hash under which the files lie; of a folder it stands for their names, too.

    Without them, a part that was renamed would be there twice.
    """
    digest = digest_of(parts)
    if not path.is_file():
        digest = hashlib.sha256("\n".join([digest, *(part.name for part in parts)]).encode()).hexdigest()
    return digest[:DIGEST_LENGTH]


def upload_parts(s3: Any, bucket: str, keys: Mapping[str, Part], tell: Tell) -> None:
    """Upload files by their keys, AT_ONCE side by side; one whose key is there is not sent again."""
    progress = _Progress(len(keys), sum(part.path.stat().st_size for part in keys.values()), tell)

    def one(key: str, part: Part) -> None:
        if not exists(s3, bucket, key):
            s3.upload_file(str(part.path), bucket, key, Callback=progress.sent)
        else:
            progress.sent(part.path.stat().st_size)
        progress.done()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        futures = [pool.submit(one, key, part) for key, part in keys.items()]
        try:
            for future in futures:
                future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


class _Progress:
    """How much of the files is in S3, told every few seconds; their threads call it."""

    def __init__(self, files: int, size: int, tell: Tell) -> None:
        self._files, self._size, self._tell = files, size, tell
        self._done, self._sent, self._told, self._lock = 0, 0, time.monotonic(), Lock()

    def sent(self, count: int) -> None:
        """So many bytes more are there."""
        with self._lock:
            self._sent += count
            if time.monotonic() - self._told >= TELL_EVERY:
                self._told = time.monotonic()
                megabytes = f"{self._sent / 1e6:,.0f} of {self._size / 1e6:,.0f} MB"
                self._tell(f"           {self._done:,} of {self._files:,} files, {megabytes} are in S3")

    def done(self) -> None:
        """One file more is there."""
        with self._lock:
            self._done += 1


def check_data(path: Path) -> list[Part]:
    """The files of a data set; PipelineError where one cannot be used at all. ValidateData looks inside."""
    if not path.exists():
        fix = "`make data` fetches the sample data" if path.name in SAMPLES else "look at its name and place"
        raise PipelineError(f"There is no data file {path}: {fix}.")
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


def require_data(s3: Any, parameters: Iterable[Mapping[str, Any]], fix: str) -> None:
    """Raise PipelineError, with the fix, where nothing lies at the default of a pipeline's InputDataUri."""
    for uri in [each["DefaultValue"] for each in parameters if each["Name"] == "InputDataUri"]:
        if not exists(s3, *split_uri(uri)):
            raise PipelineError(f"There is no data file at {uri}: {fix}.")


def parquet_names(names: Iterable[str], place: str) -> list[str]:
    """Those of the files below a place that are data. PipelineError for none, and for one not called .parquet."""
    found = [name for name in names if is_data(name)]
    if not found:
        raise PipelineError(f"There is no Parquet file below {place}.")
    for name in found:
        if not name.lower().endswith(PARQUET):
            raise PipelineError(
                f"{name} below {place} does not end in {PARQUET}: give a folder of Parquet files, or each CSV and JSON "
                "file by itself."
            )
    return found
