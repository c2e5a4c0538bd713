"""Files to objects: what a job leaves in its folders."""

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from local_sagemaker.processes.outcome import ClientFault
from local_sagemaker.processes.storage import ObjectStore, split_s3_uri

CONTRACT_FOLDER = Path("/opt/ml")
CONTRACT = CONTRACT_FOLDER.parts[-2:]


def upload_folder(store: ObjectStore, folder: Path, uri: str) -> None:
    """Upload every file under a folder, by its relative name, below an S3 URI.

    ClientFault where the bucket is missing, or a link leads out of the folder.
    """
    bucket, prefix = split_s3_uri(uri)
    start = f"{prefix.rstrip('/')}/" if prefix.rstrip("/") else ""
    for name, path in folder_files(folder):
        _upload(store, path, bucket, start + name)


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


def each_of(uploads: Iterable[Callable[[], object]]) -> None:
    """Do all of them, whatever becomes of one; then raise the first ClientFault."""
    faults = []
    for upload in uploads:
        try:
            upload()
        except ClientFault as fault:
            faults.append(fault)
    if faults:
        raise faults[0]


def folder_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Name and place of every file below a folder, sorted, also of what links within it name.

    ClientFault at the end for other links. A link to a folder that contains it is not followed: it would never end.
    """
    outside: list[str] = []
    yield from _files(folder, "", (folder.resolve(),), outside)
    if outside:
        raise ClientFault(
            f"The output {outside[0]} is a link to elsewhere: write a file instead. The other files were uploaded."
        )


def _files(folder: Path, prefix: str, above: tuple[Path, ...], outside: list[str]) -> Iterator[tuple[str, Path]]:
    """What lies below `folder`; `above` are the folders that were entered on the way, from the first."""
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name) if folder.is_dir() else ():
        path = _target(Path(entry.path)) if entry.is_symlink() else Path(entry.path)
        name = prefix + entry.name
        if entry.is_symlink() and not path.is_relative_to(above[0]):
            outside.append(name)
        elif path.is_dir() and path.resolve() not in above:
            yield from _files(path, f"{name}/", (*above, path.resolve()), outside)
        elif path.is_file():
            yield name, path


def _target(link: Path) -> Path:
    """What a link of a job means: outside of its mount namespace, its /opt/ml lies elsewhere."""
    ml = next((parent for parent in link.parents if parent.parts[-2:] == CONTRACT), None)
    written = Path(os.readlink(link))
    if ml is not None and written.is_relative_to(CONTRACT_FOLDER):
        return Path(os.path.realpath(ml / written.relative_to(CONTRACT_FOLDER)))
    return Path(os.path.realpath(link))
