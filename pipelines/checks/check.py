"""The checks of a compiled definition, all of them, without a network."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from pipelines.checks.fault import Fault, step_at
from pipelines.checks.hosts import host_faults
from pipelines.checks.image_packages import library_warnings, package_warnings
from pipelines.checks.images import image_faults, known_versions
from pipelines.checks.limits import limit_faults
from pipelines.checks.locations import location_faults
from pipelines.checks.step_types import step_type_warnings
from pipelines.checks.types import type_faults
from pipelines.document.walk import service_model
from pipelines.images.image import image, known_images
from pipelines.settings.environment import Environment
from pipelines.settings.settings import Settings

FRAMEWORK = "xgboost"
# What finds faults in the text of any definition: (path, message), one at a time.
StructureCheck = Callable[[str], Iterable[tuple[str, str]]]


def check_definition(
    text: str,
    name: str,
    settings: Settings,
    environment: Environment,
    structure: StructureCheck,
) -> list[Fault]:
    """Every fault of a definition, one at a path.

    `structure` looks at what holds for any pipeline: requests, references, the graph. The rest is this project's,
    which knows better what to do, and is told where both find something.
    """
    try:
        definition = json.loads(text)
    except ValueError:
        definition = None
    raw = definition if isinstance(definition, dict) else {}
    own: dict[str, Fault] = {}
    for fault in _own_faults(raw, name, settings, environment) if _is_readable(raw) else ():
        own.setdefault(fault.path, fault)
    found: dict[str, Fault] = {}
    for path, message in structure(text):
        found.setdefault(path or message, own.pop(path, Fault(step_at(raw, path), path, *_with_fix(message))))
    return [*found.values(), *own.values()]


def prepare(structure: StructureCheck) -> None:
    """Read what every check needs, AWS's description of its requests first: a tenth of a second, once a process."""
    structure("{}")
    service_model()


def compilable(settings: Settings, environment: Environment) -> tuple[Settings, list[Fault]]:
    """Settings that compile, and what is wrong with those given: so that one fault does not hide the others."""
    version = settings.jobs.image_version
    known = [each for each in known_versions(FRAMEWORK, environment.region) if each in known_images()]
    if version in known:
        return settings, []
    path = "jobs.image_version"
    if not known:
        fault = Fault(
            None, "AWS_REGION", f"SageMaker has no {FRAMEWORK} image in {environment.region}", "fix AWS_REGION"
        )
        return settings, [fault]
    message = f"{environment.region} has no {FRAMEWORK} image of version {version}"
    jobs = settings.jobs.model_copy(update={"image_version": known[-1]})
    return settings.model_copy(update={"jobs": jobs}), [Fault(None, path, message, f"take one of {', '.join(known)}")]


def warnings_of(text: str, settings: Settings) -> list[Fault]:
    """What is not wrong with a definition and may yet surprise on AWS."""
    try:
        raw = json.loads(text)
    except ValueError:
        return []
    own = step_type_warnings(raw) if isinstance(raw, dict) and _is_readable(raw) else ()
    versions = package_warnings(image(settings.jobs.image_version))
    return [*own, *versions, *library_warnings(settings.candidates.libraries)]


def _own_faults(raw: Mapping[str, Any], name: str, settings: Settings, environment: Environment) -> Iterator[Fault]:
    account = environment.role_arn.split(":")[4]
    yield from limit_faults(name, raw)
    yield from host_faults(raw, settings)
    yield from type_faults(raw)
    yield from image_faults(raw, environment.region, account)
    yield from location_faults(raw, environment.bucket, settings.name)


def _is_readable(raw: Mapping[str, Any]) -> bool:
    """Whether the lists of the definition are lists of structures, so that the rest can be looked at, too."""
    lists = [raw.get(name) for name in ("Steps", "Parameters")]
    return all(isinstance(entry, dict) for listed in lists if isinstance(listed, list) for entry in listed)


def _with_fix(message: str) -> tuple[str, str]:
    """A message in two: what is wrong, and what to do about it where the message ends in a suggestion."""
    what, mark, mean = message.rpartition("; did you mean ")
    if mark:
        return what, f"did you mean {mean}"
    return message, "fix the step in the pipeline's code (pipelines/)"
