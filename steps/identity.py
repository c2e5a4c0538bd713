"""Which model it is: a hash of the files that make it, the same in evaluation and at the endpoint."""

from __future__ import annotations

import hashlib
from pathlib import Path

LENGTH = 16  # hexadecimal digits


def identity(folder: Path) -> str:
    """The hash of a model directory: of the names and bytes of its files, without folders such as that of its code."""
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.is_file():
            digest.update(f"{path.name}\0{path.stat().st_size}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:LENGTH]
