"""Whose a state folder is."""

import json
import os
from pathlib import Path

import pytest

from local_sagemaker.errors import LocalSageMakerError
from local_sagemaker.state_lock import lock_folder


def test_a_state_folder_has_one_server_at_a_time(tmp_path: Path) -> None:
    held = lock_folder(tmp_path, 5599)
    with pytest.raises(LocalSageMakerError, match=r"in use by another local SageMaker: stop it with `local down`"):
        lock_folder(tmp_path, 5599)
    assert json.loads(os.pread(held, 100, 0)) == {"pid": os.getpid(), "port": 5599}
