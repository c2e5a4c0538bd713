"""One server at a time has a state folder, and notices when the folder is no longer the one that it has."""

import fcntl
import json
import os
import time
from pathlib import Path

from local_sagemaker.errors import LocalSageMakerError
from local_sagemaker.lifecycle import LOCK

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
                    f"The state folder {folder} is in use by another local SageMaker: stop it with `local down`, "
                    "or choose another folder with SAGEMAKER_LOCAL_STATE."
                ) from None
            time.sleep(0.05)  # a server that is just ending, or somebody who looks whose the lock is
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps({"pid": os.getpid(), "port": port}).encode(), 0)
    return descriptor


Identity = tuple[tuple[int, int], ...]


def folder_identity(folder: Path) -> Identity | None:
    """Device and inode of the files that make a state folder this one and no other; None where one is not there."""
    try:
        found = [os.stat(folder / name) for name in (LOCK, DATABASE)]
    except OSError:
        return None
    return tuple((entry.st_dev, entry.st_ino) for entry in found)
