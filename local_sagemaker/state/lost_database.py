"""A state folder whose database is gone keeps the bytes of its objects: nothing is deleted because nothing names it."""

import sqlite3
from contextlib import closing
from pathlib import Path

from local_sagemaker.errors import LocalSageMakerError
from local_sagemaker.state.lock import DATABASE


def refuse_lost_database(folder: Path) -> None:
    """Raise LocalSageMakerError, having touched nothing, where objects/ has files and state.db names none.

    That is a state.db that is missing, empty, or not a database that can be read.
    """
    objects = folder / "objects"
    count = sum(1 for _ in objects.iterdir()) if objects.is_dir() else 0
    fault = _fault(folder / DATABASE) if count else None
    if fault is not None:
        raise LocalSageMakerError(
            f"{folder / 'state.db'} {fault}, and {objects} keeps the bytes of objects ({count}): "
            f"put state.db back from a copy, or move {objects} away to begin with an empty state. Nothing was changed."
        )


def _fault(database: Path) -> str | None:
    if not database.exists():
        return "is missing"
    if database.stat().st_size == 0:
        return "is empty"
    try:
        with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            found = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'snapshots'").fetchone()
    except sqlite3.DatabaseError as error:
        return f"cannot be read ({error})"
    return None if found else "has no tables"
