"""Folders that are kept in S3 while a job runs: checkpoints, and outputs that are uploaded continuously."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from local_sagemaker.processes.outcome import ClientFault
from local_sagemaker.processes.outputs import folder_files, upload_file
from local_sagemaker.processes.storage import ObjectStore

LOG = logging.getLogger("local_sagemaker.jobs")
SYNCHRONISE_SECONDS = 1.0


class FolderSynchroniser:
    """Uploads what is new or has changed since the last time."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._uploaded: dict[Path, tuple[int, int]] = {}

    def upload(self, folder: Path, uri: str) -> None:
        """Upload every file below a folder that is not in S3 as it is; what was deleted stays in S3.

        ClientFault where the bucket is missing, or a link leads out of the folder.
        """
        for name, path in folder_files(folder):
            status = path.stat()
            version = (status.st_size, status.st_mtime_ns)
            if self._uploaded.get(folder / name) != version:
                upload_file(self._store, path, f"{uri.rstrip('/')}/{name}")
                self._uploaded[folder / name] = version


@contextmanager
def repeated(action: Callable[[], None]) -> Iterator[None]:
    """Meanwhile, do something every second in another thread.

    A fault (a file that has just gone, a bucket that is missing) is left to the next time, and to the last
    time, after the job, when whoever does it hears of it.
    """
    done = threading.Event()

    def work() -> None:
        while not done.wait(SYNCHRONISE_SECONDS):
            try:
                action()
            except (ClientFault, OSError) as error:
                LOG.debug("a folder was not synchronised: %s", error)

    thread = threading.Thread(target=work, name="synchronisation", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
