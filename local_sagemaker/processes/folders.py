"""Removing folders, and only those that lie below the one that they belong to."""

import shutil
from pathlib import Path


class OutsideItsRoot(OSError):
    """A folder was to be removed that is not below its root: a name has become a path."""


def remove_folder(folder: Path, root: Path, ignore_errors: bool = False) -> None:
    """Delete a folder with all that is in it; OutsideItsRoot, and nothing deleted, unless it lies below `root`.

    Symbolic links on the way to the folder are followed before that is decided. A folder that is not there is no
    error with `ignore_errors`; otherwise FileNotFoundError.
    """
    real = folder.parent.resolve() / folder.name
    if folder.name in ("", "..") or not real.is_relative_to(root.resolve()) or real == root.resolve():
        raise OutsideItsRoot(f"The folder {folder} is not below {root}: it is not removed.")
    shutil.rmtree(real, ignore_errors=ignore_errors)
