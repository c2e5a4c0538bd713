"""A SageMaker session that compiles without a network call: no bucket is made, no identity is asked for."""

import json
import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pipelines.settings.environment import Environment

NO_TELEMETRY = {"SchemaVersion": "1.0", "SageMaker": {"PythonSDK": {"Modules": {"TelemetryOptOut": True}}}}


@contextmanager
def offline_session(environment: Environment) -> Iterator[Any]:
    """The session for an environment, quiet and deaf to the user's own configuration; imports the SDK (3 s)."""
    sealed = {
        "AWS_DEFAULT_REGION": environment.region,  # the SDK's import raises NoRegionError without it
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "SAGEMAKER_ADMIN_CONFIG_OVERRIDE": os.devnull,
        "SAGEMAKER_USER_CONFIG_OVERRIDE": os.devnull,
        "SAGEMAKER_VALIDATE_ROLE": "false",
    }
    with _variables(sealed, removed=("AWS_PROFILE", "AWS_DEFAULT_PROFILE")), _quiet():
        yield _session(environment)


def _session(environment: Environment) -> Any:
    import boto3
    from sagemaker.core.workflow.pipeline_context import PipelineSession

    _validate_each_configuration_once()

    class OfflineSession(PipelineSession):  # type: ignore[misc]
        """Answers from the environment what the SDK would ask AWS."""

        def default_bucket(self) -> str:
            return environment.bucket

        def get_caller_identity_arn(self) -> str:
            return environment.role_arn

    session = OfflineSession(
        boto_session=boto3.Session(
            region_name=environment.region,
            aws_access_key_id="offline",
            aws_secret_access_key="offline",  # noqa: S106 - it opens nothing
        ),
        default_bucket=environment.bucket,
        sagemaker_config=NO_TELEMETRY,
    )
    _share_with_local_clients(session)
    return session


@contextmanager
def _variables(values: dict[str, str], removed: tuple[str, ...]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in (*values, *removed)}
    os.environ.update(values)
    for name in removed:
        os.environ.pop(name, None)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def _quiet() -> Iterator[None]:
    """The SDK logs each value that it leaves out of a definition; none of it is the user's to act on.

    Its import also sets up the root logger, which would let every later call to AWS log a line.
    """
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)
        root.handlers[:], root.level = handlers, level


def _share_with_local_clients(session: Any) -> None:
    """Each ProcessingStep makes a local-mode client for the name of one method, and that a session of its own.

    Given ours, a compile of three such steps takes 0.4 s less.
    """
    from sagemaker.core.local.local_session import LocalSagemakerClient

    def initialise(client: Any, sagemaker_session: Any = None) -> None:
        client.sagemaker_session = sagemaker_session or session

    LocalSagemakerClient.__init__ = initialise


def _validate_each_configuration_once() -> None:
    """The SDK validates its configuration at each of about 90 look-ups, 8 s a compile; once is enough."""
    from sagemaker.core.config.config_manager import SageMakerConfig

    validate = SageMakerConfig.validate_sagemaker_config
    if getattr(validate, "validates_once", False):
        return
    seen: set[str] = set()

    def validate_once(configuration: Any = None) -> None:
        key = json.dumps(configuration, sort_keys=True, default=str)
        if key not in seen:
            validate(configuration)
            seen.add(key)

    validate_once.validates_once = True  # type: ignore[attr-defined]
    SageMakerConfig.validate_sagemaker_config = staticmethod(validate_once)
