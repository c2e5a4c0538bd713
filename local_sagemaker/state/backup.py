"""The state of a running server in one file, and back."""

import os
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from local_sagemaker.errors import LocalSageMakerError
from local_sagemaker.state.checks import files_in
from local_sagemaker.state.formats import FORMAT, format_of
from local_sagemaker.state.lock import DATABASE, locked_folder

OBJECTS = "objects"
LOGS = ("jobs", "endpoints")
TRIES = 5


def backup(state: Path, file: Path) -> int:
    """Write the state of a folder, whose server may run, to a tar file; returns its size in bytes.

    What the file holds is the state of one moment: rows of one transaction, and the bytes that they name.
    LocalSageMakerError where there is no state, where the file exists or cannot be written: nothing is left then.
    """
    if not (state / DATABASE).exists() or format_of(state / DATABASE) != FORMAT:
        raise LocalSageMakerError(f"There is no state of this version in {state}: start the server once.")
    if file.exists():
        raise LocalSageMakerError(f"{file} exists: choose another file.")
    try:
        with _scratch(state) as scratch, _scratch(file.parent) as beside:
            _take(state, scratch)
            with tarfile.open(beside / "backup", "w") as tar:
                for name in (DATABASE, OBJECTS):
                    tar.add(scratch / name, name)
                for name in LOGS:
                    _add_logs(tar, state / name, name)
            (beside / "backup").rename(file)
    except OSError as error:
        raise LocalSageMakerError(f"{file} could not be written ({error.strerror}): it was removed.") from None
    return file.stat().st_size


def restore(file: Path, state: Path) -> None:
    """Make a state folder of a backup.

    LocalSageMakerError where the folder has a state already, or the file is not a backup: nothing is changed then.
    """
    try:
        state.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LocalSageMakerError(
            f"The state folder {state} cannot be created ({error.strerror}): name another."
        ) from None
    with locked_folder(state):
        _restore(file, state)


def _restore(file: Path, state: Path) -> None:
    for name in (DATABASE, OBJECTS, *LOGS):
        if (state / name).exists():
            raise LocalSageMakerError(
                f"{state} has a state already: move it away, or name another folder with SAGEMAKER_LOCAL_STATE."
            )
    try:
        with _scratch(state) as scratch:
            with tarfile.open(file) as tar:
                tar.extractall(scratch, filter="data")
            if not (scratch / DATABASE).is_file() or not (scratch / OBJECTS).is_dir():
                raise LocalSageMakerError(
                    f"{file} is not a backup of local SageMaker: it lacks {DATABASE} or {OBJECTS}."
                )
            if format_of(scratch / DATABASE) == 0:
                raise LocalSageMakerError(f"{file} is not a backup of local SageMaker: its {DATABASE} is empty.")
            if missing := _without_bytes(scratch):
                raise LocalSageMakerError(
                    f"{file} is incomplete: {_count(missing)} no bytes in it. Nothing is restored."
                )
            for name in (OBJECTS, *LOGS, DATABASE):  # the rows last: until then there is no state
                if (scratch / name).exists():
                    (scratch / name).rename(state / name)
    except (OSError, tarfile.TarError, EOFError) as error:
        raise LocalSageMakerError(f"{file} cannot be read as a backup ({error}): nothing is restored.") from None


def _take(state: Path, scratch: Path) -> None:
    """The rows of one moment, and a link to each file that they name.

    A file never changes, so a link keeps it. One that was deleted between the look at the folder and the
    copy of the rows is missed: then both are done again.
    """
    (scratch / OBJECTS).mkdir()
    for _ in range(TRIES):
        _link_all(state / OBJECTS, scratch / OBJECTS)
        (scratch / DATABASE).unlink(missing_ok=True)
        with closing(sqlite3.connect(f"{(state / DATABASE).absolute().as_uri()}?mode=ro", uri=True)) as connection:
            connection.execute("VACUUM INTO ?", (str(scratch / DATABASE),))
        _link_all(state / OBJECTS, scratch / OBJECTS)
        with closing(sqlite3.connect(scratch / DATABASE)) as connection:
            named = {name for (name,) in connection.execute("SELECT blob FROM objects UNION SELECT blob FROM parts")}
        there = set(os.listdir(scratch / OBJECTS))
        if named - {None} <= there:
            break
    for name in there - named:
        (scratch / OBJECTS / name).unlink()
    missing = _without_bytes(scratch)
    if missing:
        raise LocalSageMakerError(
            f"{_count(missing)} no bytes on the disk, or wrong ones: `local doctor` names them all, and after "
            "`local doctor --repair` a backup is complete. Nothing was written."
        )


def _without_bytes(folder: Path) -> list[str]:
    """What the rows of a state name and its files do not hold, or in another size."""
    sizes = dict(files_in(folder / OBJECTS))
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        rows = connection.execute(
            "SELECT 's3://' || bucket || '/' || key, blob, size FROM objects WHERE NOT marker UNION ALL "
            "SELECT 'part ' || number || ' of upload ' || upload, blob, size FROM parts"
        )
        return [name for name, blob, size in rows if sizes.get(blob) != size]


def _count(missing: list[str]) -> str:
    others = f" and {len(missing) - 1} more have" if len(missing) > 1 else " has"
    return missing[0] + others


def _link_all(source: Path, to: Path) -> None:
    for entry in os.scandir(source):
        if entry.is_file(follow_symlinks=False) and not (to / entry.name).exists():
            with suppress(FileNotFoundError):  # deleted meanwhile
                try:
                    os.link(entry.path, to / entry.name)
                except OSError:  # a file system without hard links
                    shutil.copyfile(entry.path, to / entry.name)


def _add_logs(tar: tarfile.TarFile, folder: Path, name: str) -> None:
    """The logs of jobs and endpoints as far as they are written; what a job that runs is working on is not a state."""
    for path in sorted(folder.rglob("output.*")) if folder.is_dir() else ():
        if path.is_file() and not path.is_symlink():
            with suppress(FileNotFoundError), path.open("rb") as stream:
                member = tar.gettarinfo(arcname=f"{name}/{path.relative_to(folder)}", fileobj=stream)
                tar.addfile(member, stream)


@contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=folder) as name:
        yield Path(name)
