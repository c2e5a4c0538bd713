"""One server at a time has a state folder, and notices when the folder is no longer the one that it has."""

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from local_sagemaker.configuration import LOCK
from local_sagemaker.errors import LocalSageMakerError

LOCK_SECONDS = 1.0
DATABASE = "state.db"


def lock_folder(folder: Path, port: int) -> int:
    """Take the folder for this process, and say in its lock who has it; the lock ends with the process."""
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except OSError:
            if time.monotonic() > deadline:
                raise LocalSageMakerError(
                    f"The state folder {folder} is in use by another local SageMaker{_where(descriptor)}: stop it with "
                    "`local down`, or choose another folder with SAGEMAKER_LOCAL_STATE."
                ) from None
            time.sleep(0.05)  # a server that is just ending, or somebody who looks whose the lock is
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps({"pid": os.getpid(), "port": port}).encode(), 0)
    return descriptor


def _where(lock: int) -> str:
    try:
        holder = json.loads(os.pread(lock, 200, 0))
        return f" (process {holder['pid']}, SAGEMAKER_LOCAL_PORT={holder['port']})" if holder["port"] else ""
    except (ValueError, KeyError, TypeError):
        return ""


@contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Have the folder for as long as something is done to it that no server may see."""
    descriptor = lock_folder(folder, 0)
    try:
        yield
    finally:
        os.close(descriptor)


def folder_check(folder: Path, lock: int) -> Callable[[], bool]:
    """What tells from now on whether a folder is still the one that this process has locked and opened.

    That is the device and the inode of its lock, whose descriptor is `lock`, of its database and of its objects.
    """
    lock_file, database, objects = (str(folder / name) for name in (LOCK, DATABASE, "objects"))
    opened = _identity(os.fstat(lock)), _identity(os.stat(database)), _identity_if_there(objects)

    def is_the_same() -> bool:
        try:
            lock_and_database = _identity(os.stat(lock_file)), _identity(os.stat(database))
            return opened == (*lock_and_database, _identity_if_there(objects))
        except OSError:
            return False

    return is_the_same


def _identity_if_there(path: str) -> tuple[int, int] | None:
    try:
        return _identity(os.stat(path))
    except FileNotFoundError:
        return None


def _identity(file: os.stat_result) -> tuple[int, int]:
    return file.st_dev, file.st_ino
