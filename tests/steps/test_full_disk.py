"""A disk that is really full while a step spills or writes: one sentence, and nothing half-made is left."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from local_sagemaker.processes.isolation import mounts_work

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not mounts_work(), reason="needs a mount namespace, to have a disk that can be filled"),
]
ROOT = Path(__file__).parents[2]
MOUNT_AND_RUN = (
    'mount -t tmpfs -o size="$2"k tmpfs "$1" && out="$1" && shift 2 && "$@"; code=$?; ls -A "$out"; exit $code'
)
IN_BATCHES = """
from steps import batches
batches.ROWS = 100
from steps.failure import run_job
from steps.{step} import main
run_job(main)
"""


@pytest.mark.parametrize(("step", "source", "kilobytes"), [("validate", "data", 32), ("preprocess", "validated", 48)])
def test_a_disk_that_fills_is_said(
    rents_folder: Path, typed_rents: pd.DataFrame, settings_file: Path, tmp_path: Path, step: str, source: str,
    kilobytes: int,
) -> None:  # fmt: skip
    (tmp_path / "validated").mkdir()
    typed_rents.to_parquet(tmp_path / "validated" / "data.parquet", index=False)
    (out := tmp_path / "out").mkdir()
    namespace = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--mount", "--map-root-user"]
    job = [sys.executable, "-c", IN_BATCHES.format(step=step), "--input", str(tmp_path / source), "--output", str(out)]
    done = subprocess.run(
        [*namespace, "sh", "-c", MOUNT_AND_RUN, "sh", str(out), str(kilobytes), *job, "--settings", str(settings_file)],
        cwd=ROOT, env={**os.environ, "SM_OUTPUT_DIR": str(tmp_path / "told")}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    told = (tmp_path / "told" / "failure").read_text()
    assert told.startswith("The disk is full"), told
    assert "raise volume_gb" in told
    assert not [name for name in done.stdout.splitlines() if name.startswith(".")]
