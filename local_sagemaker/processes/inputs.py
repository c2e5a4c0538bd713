"""Objects to files: the S3 inputs of a job as they arrive in its folder."""

import errno
import gzip
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from threading import Event

from local_sagemaker.processes.outcome import ClientFault, JobStopped
from local_sagemaker.processes.storage import ObjectStore, fetch, split_s3_uri


@dataclass(frozen=True)
class Source:
    """What an input is made of; the fields are those of S3DataSource and ProcessingS3Input."""

    uri: str
    data_type: str = "S3Prefix"
    sharded: bool = False
    gzipped: bool = False
    required: bool = True


@dataclass(frozen=True)
class Share:
    """Which of the hosts asks: its number from 0, and how many there are."""

    host: int = 0
    hosts: int = 1


def download(store: ObjectStore, source: Source, folder: Path, share: Share, stop: Event) -> None:
    """Download a host's share of a source into a folder.

    An S3 prefix gives all objects whose keys start with it, as S3DataSource says: those below it as a folder
    (prefix/...) under their relative names, the others (its siblings, and the object of that very key) under their
    names from the last / of the prefix on.

    ClientFault: nothing under the URI, a key that would leave the folder, an unsupported data type.
    JobStopped: `stop` was set between two objects.
    """
    if source.data_type == "S3Prefix":
        found = list(_under_prefix(store, source.uri))
    elif source.data_type == "ManifestFile":
        found = list(_in_manifest(store, source.uri, folder))
    else:
        raise ClientFault(f"Local SageMaker does not support inputs of the data type {source.data_type}.")
    if not found and source.required:
        raise ClientFault(
            f'No S3 objects found under S3 URL "{source.uri}" given in input data source: '
            "check the URI, and whether the step that writes there has run."
        )
    folder.mkdir(parents=True, exist_ok=True)
    for uri, name in found[share.host :: share.hosts] if source.sharded else found:
        if stop.is_set():
            raise JobStopped("asked")
        _download_one(store, uri, _inside(folder, name, uri), source.gzipped)


def _under_prefix(store: ObjectStore, uri: str) -> Iterator[tuple[str, str]]:
    bucket, prefix = split_s3_uri(uri)
    try:
        keys = [key for key in store.list(bucket, prefix) if not key.endswith("/")]  # those mark folders
    except LookupError as error:
        raise ClientFault(f'The S3 URL "{uri}" given in input data source cannot be read: {error}') from None
    as_folder = prefix if prefix.endswith("/") or not prefix else f"{prefix}/"
    for key in keys:
        start = len(as_folder) if key.startswith(as_folder) else prefix.rfind("/") + 1
        yield f"s3://{bucket}/{key}", key[start:]


def _in_manifest(store: ObjectStore, uri: str, folder: Path) -> Iterator[tuple[str, str]]:
    """URI and name of each object in a manifest: [{"prefix": "s3://bucket/folder/"}, "name", ...]."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / ".manifest"
    fetch(store, uri, path)
    try:
        entries = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise ClientFault(f"The manifest {uri} is not JSON: {error}.") from None
    finally:
        path.unlink()
    prefix = (
        entries[0].get("prefix") if isinstance(entries, list) and entries and isinstance(entries[0], dict) else None
    )
    if not isinstance(prefix, str) or not all(isinstance(name, str) for name in entries[1:]):
        raise ClientFault(f'The manifest {uri} is not of the form [{{"prefix": "s3://..."}}, "name", ...].')
    for name in entries[1:]:
        yield f"{prefix}{name}", name


def _inside(folder: Path, name: str, uri: str) -> Path:
    relative = PurePosixPath("/".join(part for part in name.split("/") if part))  # S3 takes empty ones, no folder does
    if ".." in relative.parts or not relative.parts or "\0" in name:
        raise ClientFault(f"The key of {uri} would leave the input folder: rename the object.")
    return folder / relative


def _download_one(store: ObjectStore, uri: str, path: Path, gzipped: bool) -> None:
    try:
        fetch(store, uri, path)
        if gzipped:
            _decompress(path, uri)
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        raise ClientFault(
            f"{uri} cannot be a file: another object uses its name, or a part of it, as a folder."
        ) from None
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        raise ClientFault(f"{uri} has a part that is too long for a file name: rename the object.") from None


def _decompress(path: Path, uri: str) -> None:
    target = path.with_suffix("") if path.suffix == ".gz" else path
    temporary = path.with_name(f".{path.name}.decompressed")
    try:
        with gzip.open(path, "rb") as compressed, temporary.open("wb") as plain:
            shutil.copyfileobj(compressed, plain)
    except (gzip.BadGzipFile, EOFError) as error:
        raise ClientFault(f"{uri} is not compressed with gzip, as its input says: {error}.") from None
    path.unlink()
    temporary.replace(target)
