"""The session for compiling: silent, sealed, and without a trace afterwards."""

import logging
import os

import pytest

from pipelines.definition.offline_session import offline_session
from pipelines.settings.environment import Environment

pytestmark = pytest.mark.e2e

ENVIRONMENT = Environment.from_env({"AWS_REGION": "eu-west-1", "SAGEMAKER_BUCKET": "my-bucket"})


def test_bucket_and_role_are_those_of_the_environment() -> None:
    with offline_session(ENVIRONMENT) as session:
        assert session.default_bucket() == "my-bucket"
        assert session.get_caller_identity_arn() == ENVIRONMENT.role_arn
        assert session.boto_region_name == "eu-west-1"


def test_the_users_environment_and_logging_are_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "work")
    monkeypatch.delenv("AWS_CONFIG_FILE", raising=False)
    root = logging.getLogger()
    before = (dict(os.environ), root.handlers[:], root.level, logging.root.manager.disable)
    with offline_session(ENVIRONMENT):
        assert "AWS_PROFILE" not in os.environ
        assert os.environ["AWS_CONFIG_FILE"] == os.devnull
    assert (dict(os.environ), root.handlers[:], root.level, logging.root.manager.disable) == before


def test_the_environment_is_restored_after_an_error_too() -> None:
    with pytest.raises(RuntimeError), offline_session(ENVIRONMENT):
        raise RuntimeError("compilation failed")
    assert "SAGEMAKER_USER_CONFIG_OVERRIDE" not in os.environ
