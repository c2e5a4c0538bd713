"""The pipelines that a settings file can have, by name; each is made by a module of its own."""

from collections.abc import Callable
from typing import Any

from pipelines.document.parameters import close_match
from pipelines.errors import PipelineError
from pipelines.settings.settings import PipelineName, Settings


def chosen(settings: Settings, name: str | None) -> PipelineName:
    """The pipeline that a person means: one of the settings' names, with or without the project's, or the first."""
    if name is None:
        return settings.pipelines[0]
    short = name.removeprefix(f"{settings.name}-")
    for known in settings.pipelines:
        if known == short:
            return known
    raise PipelineError(
        f"There is no pipeline {name}: {close_match(short, settings.pipelines)}"
        f"the settings have {', '.join(settings.pipelines)} (pipelines: in the YAML)."
    )


def builder(name: PipelineName) -> Callable[..., Any]:
    """What makes a pipeline; imports the SDK."""
    from pipelines.definition.monitoring import monitoring_pipeline
    from pipelines.definition.training import training_pipeline
    from pipelines.definition.validation import validation_pipeline

    builders = {
        "training": training_pipeline,
        "validation": validation_pipeline,
        "monitoring": monitoring_pipeline,
    }
    return builders[name]
