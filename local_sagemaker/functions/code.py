"""The code of functions: zip archives, checked as Lambda checks them, and unpacked where they are called."""

import base64
import binascii
import hashlib
import io
import os
import shutil
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from local_sagemaker.errors import ServiceError, unsupported

LARGEST_UPLOAD, LARGEST_CODE = 50 << 20, 250 << 20  # bytes: zipped in a request, and unzipped
Read = Callable[[str, str], bytes]  # the bytes of an object, by its bucket and key


def refused(message: str) -> ServiceError:
    """A value that Lambda does not take."""
    return ServiceError("InvalidParameterValueException", message, 400)


def archive_of(code: Mapping[str, Any], read: Read) -> bytes:
    """The zip archive of a request: ZipFile, or an object of S3; ServiceError where it is none."""
    for name in ("ImageUri", "S3ObjectVersion", "SourceKMSKeyArn"):
        if code.get(name):
            raise unsupported(f"{name} of a function's code: give ZipFile, or S3Bucket and S3Key")
    if code.get("ZipFile") is not None:
        try:
            archive = base64.b64decode(code["ZipFile"], validate=True)
        except (binascii.Error, ValueError):
            raise refused("Could not unzip uploaded file. Please check your file, then try to upload again.") from None
        if len(archive) > LARGEST_UPLOAD:
            raise ServiceError("RequestEntityTooLargeException", "A ZipFile has at most 50 MB: use S3Bucket.", 413)
    elif code.get("S3Bucket") and code.get("S3Key"):
        try:
            archive = read(code["S3Bucket"], code["S3Key"])
        except LookupError as error:
            raise refused(f"Error occurred while GetObject. {error}") from None
    else:
        raise refused("Please provide a source for function code: ZipFile, or S3Bucket and S3Key.")
    _check(archive)
    return archive


def _check(archive: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            entries = opened.infolist()
    except zipfile.BadZipFile:
        raise refused("Could not unzip uploaded file. Please check your file, then try to upload again.") from None
    if not any(not entry.is_dir() for entry in entries):
        raise refused("Uploaded file must be a non-empty zip.")
    if sum(entry.file_size for entry in entries) > LARGEST_CODE:
        raise refused(f"Unzipped size must be smaller than {LARGEST_CODE} bytes.")


def digest(archive: bytes) -> str:
    """CodeSha256 of an archive."""
    return base64.b64encode(hashlib.sha256(archive).digest()).decode()


def unpacked(archive: bytes, root: Path) -> Path:
    """The folder below `root` with an archive's files; made where it is not there."""
    folder = root / hashlib.sha256(archive).hexdigest()[:32]
    if not folder.exists():
        new = folder.with_suffix(f".{os.getpid()}")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            opened.extractall(new)
        try:
            new.rename(folder)
        except OSError:  # another call was first
            shutil.rmtree(new)
    return folder
