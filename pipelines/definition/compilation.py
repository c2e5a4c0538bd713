"""Compiling: YAML and code in, the definition and the code that it names out; no network, no clock, no chance."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.definition.catalogue import builder
from pipelines.definition.champion_input import marker_key
from pipelines.definition.job_code import JobCode, job_code
from pipelines.definition.revision import git_commit
from pipelines.document.walk import step_names
from pipelines.settings.environment import Environment
from pipelines.settings.locations import default_data_uri
from pipelines.settings.settings import ROOT, PipelineName, Settings


@dataclass(frozen=True)
class Compiled:
    """A definition, and what must be in S3 before it can run."""

    name: str
    description: str
    definition: str
    code: JobCode
    commit: str

    @classmethod
    def of(cls, settings: Settings, definition: str, code: JobCode, commit: str, pipeline: PipelineName) -> "Compiled":
        """A definition with what is known of it without compiling."""
        return cls(
            name=settings.pipeline_name(pipeline),
            description=settings.description,
            definition=definition,
            code=code,
            commit=commit,
        )

    @property
    def prefix(self) -> str:
        """What the keys of everything that is published begin with."""
        return self.code.prefix

    @property
    def champion_marker(self) -> str:
        """The key of the object that stands for "no champion"."""
        return marker_key(self.prefix)

    @property
    def parameters(self) -> list[dict[str, Any]]:
        """The parameters that the definition declares."""
        return list(json.loads(self.definition)["Parameters"])

    @property
    def step_names(self) -> list[str]:
        """Its steps, those of the condition's branches among them."""
        return step_names(json.loads(self.definition))


def compile_pipeline(
    settings: Settings, environment: Environment, root: Path = ROOT, pipeline: PipelineName = "training"
) -> Compiled:
    """The same commit, YAML and environment give the same bytes on every machine; takes the SDK's 3 s to import."""
    from pipelines.definition.offline_session import offline_session

    code = job_code(root, settings, pipeline)
    commit = git_commit(root)
    with offline_session(environment) as session:
        definition = builder(pipeline)(
            settings,
            environment,
            session,
            code=code,
            input_data=default_data_uri(settings, environment),
            commit=commit,
        ).definition()
    return Compiled.of(settings, definition, code, commit, pipeline)
