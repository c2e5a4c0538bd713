"""What a command of deploy_model.py works with."""

import argparse
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from command_line.lock import Lock
    from deployment.history import History
    from deployment.removal import Removal
    from pipelines.settings.settings import Settings

LOCAL_POLL_SECONDS = 0.1
AWS_POLL_SECONDS = 10.0
LONGEST_UPDATE_SECONDS = 8 * 3600.0  # the service's own limit
LOCK_SECONDS = 18 * 3600.0  # longer than an update, its undoing and the build: who waits for more gives up
LEASE_SECONDS = 120.0  # after which the lock of a process that has died on another machine is free


class Session:
    """What a command works with: settings, clients, and where it prints."""

    def __init__(self, options: argparse.Namespace, log_folder: Path | None, time_scale: float = 1.0) -> None:
        from command_line.console import Console
        from pipelines.settings.environment import Environment
        from pipelines.settings.settings import default_config, load_settings

        self.local: bool = getattr(options, "local", False)
        self.config: Path | None = getattr(options, "config", None)
        self.settings: Settings = load_settings(self.config or default_config())
        self.environment = Environment.from_env()
        self.console: Console = Console(json_output=options.json)
        self._log_folder = log_folder
        self._time_scale = time_scale
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        """The boto3 client of a service."""
        from pipelines.aws_client import make_client

        if service not in self._clients:
            self._clients[service] = make_client(service, self.environment.region)
        return self._clients[service]

    def command(self, script: str, words: str) -> str:
        """A command that the person can paste."""
        from command_line.console import command_line

        return f"{command_line(script, local=self.local, config=self.config)} {words}"

    def way_to(self, stage: str) -> str:
        """The command that brings a version to a stage."""
        source = self.settings.stages[stage].promote_from
        words = f"promote --from {source} --to {stage}" if source else f"deploy --latest-approved --stage {stage}"
        return self.command("deploy_model.py", words)

    def endpoint(self, stage: str) -> str:
        """The endpoint of a stage that the settings have."""
        from command_line.stages import no_stage
        from deployment.errors import DeploymentError

        if stage not in self.settings.stages:
            raise DeploymentError(no_stage(stage, self.settings.stages))
        return f"{self.settings.name}-{stage}"

    def log(self, endpoint: str) -> str:
        """Where a person finds the log of an endpoint."""
        from deployment.endpoint import endpoint_log

        return endpoint_log(endpoint, self._log_folder)

    def log_of(self, kind: str) -> str:
        """Where a person finds the log of a job of a kind, such as transform; {} stands for its name."""
        if self._log_folder is not None:
            return str(self._log_folder.parent / "jobs" / kind / "{}" / "output.log")
        return f"CloudWatch log group /aws/sagemaker/{kind.capitalize()}Jobs, streams {{}}"

    def predictor(self, endpoint: str, stage: str, payload: Any) -> Any:
        """What sends a payload to an endpoint when it is called."""
        from deployment.predict import predict

        return partial(
            predict,
            self.client("sagemaker-runtime"),
            self.client("sagemaker"),
            endpoint,
            payload,
            self.way_to(stage),
            self.log(endpoint),
        )

    def alone(self, endpoint: str, meanwhile: Callable[[], None] = lambda: None) -> AbstractContextManager[None]:
        """The only one of these commands that changes an endpoint, while the block runs.

        `meanwhile` is called again and again while it waits for another one.
        """
        from command_line.lock import held
        from deployment.errors import DeploymentError
        from pipelines.publishing.publish import create_bucket_if_local

        if not self.has_bucket:
            raise DeploymentError("Set SAGEMAKER_BUCKET to the project's bucket, or use --local.")
        s3 = self.client("s3")
        if self.local:
            create_bucket_if_local(s3, self.environment)
        return held(s3, self._lock(endpoint, meanwhile), self.console.line)

    def holder(self, endpoint: str) -> str | None:
        """Who changes an endpoint now; None where nobody does."""
        from command_line.lock import holder

        return holder(self.client("s3"), self._lock(endpoint))

    def removal(self, stage: str) -> "Removal":
        """When the endpoint of a stage removes itself. Locally any role will do, where none is named."""
        from deployment.removal import Removal

        role = self.environment.removal_role_arn or (self.environment.role_arn if self.local else None)
        stay = self.settings.stages[stage].stay
        return Removal(self.client("scheduler"), self.endpoint(stage), stay, role, self._time_scale)

    def history(self, endpoint: str) -> "History":
        """What was done to an endpoint."""
        from deployment.history import History

        return History(self.client("s3"), self.environment.bucket, self.settings.name, endpoint)

    @property
    def has_bucket(self) -> bool:
        """Whether the project's bucket is known: that of locks and history."""
        return self.local or "SAGEMAKER_BUCKET" not in self.environment.placeholders

    def _lock(self, endpoint: str, meanwhile: Callable[[], None] = lambda: None) -> "Lock":
        from command_line.lock import Lock

        poll = self.waiting.poll_seconds
        return Lock(self.environment.bucket, self.settings.name, endpoint, LEASE_SECONDS, LOCK_SECONDS, poll, meanwhile)

    @property
    def waiting(self) -> Any:
        """How often to look at an endpoint that changes."""
        from deployment.endpoint import Waiting

        limit = LONGEST_UPDATE_SECONDS
        return Waiting(LOCAL_POLL_SECONDS if self.local else AWS_POLL_SECONDS, limit, self._time_scale)
