"""What the commands of run_pipeline.py work with: settings, environment, clients, and where they print."""

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from command_line.console import Console, command_line
from local_sagemaker.client.lifecycle import Server
from pipelines.aws_client import make_client
from pipelines.definition.catalogue import chosen
from pipelines.definition.compilation import Compiled
from pipelines.definition.definition_cache import compile_or_recall, define_or_recall
from pipelines.errors import PipelineError
from pipelines.files import write_whole
from pipelines.publishing.publish import create_bucket_if_local
from pipelines.settings.environment import Environment
from pipelines.settings.settings import ROOT, PipelineName, Settings, default_config, load_settings
from pipelines.watching.executions import Job
from pipelines.watching.logs import last_words

LOCAL_POLL_SECONDS = 0.1
AWS_POLL_SECONDS = 5.0
DEFINITIONS = ROOT / "build" / "definitions"  # those compiled before


@dataclass(frozen=True)
class Context:
    """What a command works with; clients and settings are made when they are first asked for.

    `structure_check` finds the faults that any definition can have, as (path, message), and `notice` says what keeps
    the server from going on, if anything does; `server` is local SageMaker. The command line brings them.
    """

    config: Path | None
    local: bool
    log_folder: Path | None
    json_output: bool = False
    chosen_pipeline: str | None = None
    structure_check: Callable[[str], Iterable[tuple[str, str]]] | None = None
    notice: Callable[[], str | None] = lambda: None
    server: Server | None = None

    @cached_property
    def settings(self) -> Settings:
        """The YAML."""
        return load_settings(self.config or default_config())

    @cached_property
    def environment(self) -> Environment:
        """Region, role, bucket."""
        return Environment.from_env()

    @cached_property
    def console(self) -> Console:
        """Where lines go."""
        return Console(json_output=self.json_output)

    @cached_property
    def pipeline(self) -> PipelineName:
        """Which of the settings' pipelines is meant."""
        return chosen(self.settings, self.chosen_pipeline)

    @property
    def pipeline_name(self) -> str:
        """Its name in SageMaker."""
        return self.settings.pipeline_name(self.pipeline)

    @cached_property
    def _clients(self) -> dict[str, Any]:
        return {}

    def client(self, service: str) -> Any:
        """The boto3 client of a service."""
        if service not in self._clients:
            self._clients[service] = make_client(service, self.environment.region)
        return self._clients[service]

    @property
    def sagemaker(self) -> Any:
        """The SageMaker client."""
        return self.client("sagemaker")

    def bucket_client(self) -> Any:
        """An S3 client; the local bucket is there after this."""
        s3 = self.client("s3")
        if self.local:
            create_bucket_if_local(s3, self.environment)
        return s3

    @property
    def target_unit(self) -> str:
        """The unit of the target, such as USD."""
        data = self.settings.data
        return data.columns[data.target].unit

    def last_words(self, job: Job) -> str | None:
        """What a job said of its failure in its log."""
        return last_words(self.client("logs"), job, self.log_folder)

    def command(self, script: str) -> str:
        """The beginning of a command that the person can paste."""
        return command_line(script, local=self.local, config=self.config)

    @property
    def execution_command(self) -> str:
        """The same for a command on an execution of the chosen pipeline, which it names where it is not the first."""
        named = "" if self.pipeline == self.settings.pipelines[0] else f" --pipeline {self.pipeline}"
        return f"{self.command('run_pipeline.py')}{named}"

    def note_placeholders(self) -> None:
        """Say on the error output what stands in for what is not configured."""
        if self.environment.placeholders:
            names = ", ".join(self.environment.placeholders)
            print(f"note: {names} not set; placeholders of the account 000000000000 are used.", file=sys.stderr)

    def require_configured(self) -> None:
        """PipelineError where publishing to AWS lacks a role or a bucket."""
        if self.environment.placeholders and not self.local:
            names = " and ".join(self.environment.placeholders)
            raise PipelineError(f"Set {names} to the role and the bucket of the jobs, or run with --local.")

    def compile(self, console: Console | None = None) -> Compiled:
        """The definition of the chosen pipeline, from the cache where it was compiled before."""
        (console or self.console).line("Compiling ...", style="dim")
        return compile_or_recall(self.settings, self.environment, DEFINITIONS, pipeline=self.pipeline)

    def definition(self, settings: Settings) -> str:
        """Its definition alone, without a word, for settings that may differ from the file's."""
        return define_or_recall(settings, self.environment, DEFINITIONS, pipeline=self.pipeline)


def write_output(path: Path, text: str) -> None:
    """Write what a command was asked to write; PipelineError where that cannot be."""
    try:
        write_whole(path, text.encode())
    except OSError as error:
        raise PipelineError(f"{path} cannot be written: {error.strerror}.") from None
