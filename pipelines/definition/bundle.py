"""The code that the jobs run, as one archive under a key that names its content."""

import gzip
import hashlib
import io
import json
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.errors import PipelineError

PACKAGES = ("steps", "evaluation")
SUFFIXES = (".py", ".txt")
ARCHIVE = "sourcedir.tar.gz"
SETTINGS = "settings.json"  # what the jobs read of the YAML
LARGEST_FILE = 5_000_000  # bytes; the bundle is code, and every job downloads it
DIGEST_LENGTH = 16  # hexadecimal digits of SHA-256 that the key carries


@dataclass(frozen=True)
class Bundle:
    """File contents by path in the archive."""

    files: dict[str, bytes]

    @property
    def digest(self) -> str:
        """A hash of paths and contents; the same on every machine."""
        content = hashlib.sha256()
        for path, data in sorted(self.files.items()):
            content.update(f"{path}\0{len(data)}\0".encode() + data)
        return content.hexdigest()[:DIGEST_LENGTH]

    def archive(self) -> bytes:
        """The tar.gz: sorted, without times, owners or modes, so that equal content is equal bytes."""
        stream = io.BytesIO()
        with (
            gzip.GzipFile(fileobj=stream, mode="wb", filename="", mtime=0) as zipped,
            tarfile.open(fileobj=zipped, mode="w", format=tarfile.USTAR_FORMAT) as tar,
        ):
            for path, data in sorted(self.files.items()):
                member = tarfile.TarInfo(path)
                member.size, member.mode = len(data), 0o644
                tar.addfile(member, io.BytesIO(data))
        return stream.getvalue()


def build_bundle(root: Path, job_settings: dict[str, Any]) -> Bundle:
    """The bundle of a checkout: the jobs' packages, and the settings that the jobs read.

    Only the job sections of the YAML go in, so that a change of a gate or of an instance type leaves the
    bundle, and with it the step cache, as they were. Raises PipelineError for a file larger than 5 MB.
    """
    paths = [
        path
        for package in PACKAGES
        for path in (root / package).rglob("*")
        if path.suffix in SUFFIXES and "__pycache__" not in path.parts and path.is_file()
    ]
    for path in paths:
        if path.stat().st_size > LARGEST_FILE:
            raise PipelineError(
                f"{path.relative_to(root)} has {path.stat().st_size / 1e6:.1f} MB, and the jobs' code may hold files "
                f"of at most {LARGEST_FILE / 1e6:.0f} MB: move it out of the code, and give it to the job as data."
            )
    files = {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}
    files[SETTINGS] = json.dumps(job_settings, indent=1).encode()
    return Bundle(files)
