"""A folder of the job for what memory is not to hold: on the volume of the job, and removed with its end."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def scratch() -> Iterator[Path]:
    """An empty folder below the one of the job's outputs, or of the system where no job runs; removed afterwards."""
    output = os.environ.get("SM_OUTPUT_DIR")
    if output:
        Path(output).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output, prefix=".scratch.", ignore_cleanup_errors=True) as folder:
        yield Path(folder)
