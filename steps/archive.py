"""Unpack a model.tar.gz without letting it write outside its folder, and load what it holds."""

from __future__ import annotations

import shutil
import tarfile
import tempfile
import zlib
from pathlib import Path

from steps.failure import JobError
from steps.model import CODE_WHEELS, Model, load
from steps.wheels import ensure_all

MOST_MEMBERS = 10_000


def unpack(archive: Path, folder: Path) -> None:
    """Unpack the regular files of a gzipped tar into `folder`.

    Raises JobError for an archive that is missing or damaged, and for members that are links or
    devices, or that lead out of the folder; then nothing of that member is written.
    """
    root = folder.resolve()
    try:
        with tarfile.open(archive, mode="r:gz") as tar:
            for number, member in enumerate(tar, start=1):
                if number > MOST_MEMBERS:
                    raise JobError(f"{archive.name} has more than {MOST_MEMBERS} members: it is not a model.")
                if "\0" in member.name:
                    raise JobError(f"{archive.name} has the member {member.name!r}, which is not a valid name.")
                target = (root / member.name).resolve()
                inside = target.is_relative_to(root) and not Path(member.name).is_absolute()
                if not inside or not (member.isfile() or member.isdir()):
                    raise JobError(f"{archive.name} has the unsafe member {member.name!r}: it is not unpacked.")
                if member.isdir():
                    target.mkdir(parents=True, exist_ok=True)
                    continue
                content = tar.extractfile(member)
                if content is not None:
                    target.parent.mkdir(parents=True, exist_ok=True)
                    with target.open("wb") as file:
                        shutil.copyfileobj(content, file)
    except FileNotFoundError as error:
        raise JobError(f"There is no model: {archive} does not exist.") from error
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise JobError(f"The model {archive.name} cannot be unpacked: {error}.") from error


def load_archive(archive: Path) -> Model:
    """Load the model of a model.tar.gz, with the wheels that it carries. Raises JobError as `unpack` and `load` do."""
    with tempfile.TemporaryDirectory() as folder:
        unpack(archive, Path(folder))
        ensure_all(Path(folder) / CODE_WHEELS)
        return load(Path(folder))
