"""Files to objects: what a job leaves in its folders."""

import os
from collections.abc import Iterator
from pathlib import Path

from local_sagemaker.processes.outcome import ClientFault
from local_sagemaker.processes.storage import ObjectStore, split_s3_uri


def upload_folder(store: ObjectStore, folder: Path, uri: str) -> None:
    """Upload every file under a folder, by its relative name, below an S3 URI.

    ClientFault where the bucket is missing, or a link leads out of the folder.
    """
    bucket, prefix = split_s3_uri(uri)
    start = f"{prefix.rstrip('/')}/" if prefix.rstrip("/") else ""
    for path in folder_files(folder):
        _upload(store, path, bucket, start + path.relative_to(folder).as_posix())


def upload_file(store: ObjectStore, path: Path, uri: str) -> None:
    """Upload one file as the object of an S3 URI; ClientFault where the bucket is missing."""
    _upload(store, path, *split_s3_uri(uri))


def _upload(store: ObjectStore, path: Path, bucket: str, key: str) -> None:
    if not is_unicode(key):
        raise ClientFault(
            f"The output file {key.encode('utf-8', 'backslashreplace').decode()} has a name that is not UTF-8, "
            "as the key of an object must be: rename the file."
        )
    try:
        store.upload(path, bucket, key)
    except LookupError as error:
        raise ClientFault(f"The output s3://{bucket}/{key} cannot be uploaded: {error}") from None


def is_unicode(name: str) -> bool:
    """Whether a name of the file system is text: bytes of a name that are not UTF-8 become lone surrogates."""
    return not any("\ud800" <= character <= "\udfff" for character in name)


def folder_files(folder: Path) -> Iterator[Path]:
    """Every file below a folder, sorted; ClientFault where a link leads out of it."""
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names) + folders:
            path = Path(parent) / name
            # Outside of its mount namespace, a job's link to /etc/... or even to /opt/ml/... leads elsewhere.
            if path.is_symlink() and (path.is_dir() or not path.resolve().is_relative_to(folder.resolve())):
                raise ClientFault(
                    f"The output {path.relative_to(folder)} is a link to elsewhere: write a file instead."
                )
            if path.is_file():
                yield path
