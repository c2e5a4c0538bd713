"""Local SageMaker put together."""

from pathlib import Path

import pytest

from local_sagemaker.errors import LocalSageMakerError
from local_sagemaker.service import _lock_folder, job_environment


def test_a_state_folder_has_one_server_at_a_time(tmp_path: Path) -> None:
    held = _lock_folder(tmp_path)
    with pytest.raises(LocalSageMakerError, match=r"in use by another local SageMaker: stop it with `local down`"):
        _lock_folder(tmp_path)
    assert held > 0


def test_jobs_know_this_server_and_no_credentials_that_open_anything() -> None:
    environment = job_environment("http://127.0.0.1:5599", "eu-west-1")
    assert environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:5599"
    assert environment["AWS_ACCESS_KEY_ID"] == environment["AWS_SECRET_ACCESS_KEY"] == "local"
    assert "AWS_SESSION_TOKEN" not in environment
