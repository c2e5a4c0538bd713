"""Definitions compiled before: compiling is pure, so equal inputs need not wait for the SDK's import again."""

import hashlib
import json
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from pipelines.definition.bundle import PACKAGES
from pipelines.definition.compilation import Compiled, compile_pipeline
from pipelines.definition.job_code import job_code
from pipelines.definition.revision import git_commit
from pipelines.files import write_whole
from pipelines.images.image import digest_of, image
from pipelines.settings.environment import Environment
from pipelines.settings.settings import ROOT, PipelineName, Settings

SDK = ("sagemaker", "sagemaker-core", "sagemaker-mlops", "sagemaker-serve", "sagemaker-train")


def compile_or_recall(
    settings: Settings,
    environment: Environment,
    folder: Path,
    root: Path = ROOT,
    pipeline: PipelineName = "training",
) -> Compiled:
    """What `compile_pipeline` gives, with the definition from `folder` where the same inputs were compiled before."""
    definition = define_or_recall(settings, environment, folder, root, pipeline)
    return Compiled.of(settings, definition, job_code(root, settings, pipeline), git_commit(root), pipeline)


def define_or_recall(
    settings: Settings,
    environment: Environment,
    folder: Path,
    root: Path = ROOT,
    pipeline: PipelineName = "training",
) -> str:
    """The definition alone, which needs no archive of the jobs' code where it was compiled before.

    The inputs are all that the bytes depend on: the settings, the environment, the commit, the code of the
    jobs and of the pipelines, the wheels of the image and the versions of the SDK's packages.
    """
    path = folder / f"{pipeline}-{_key(settings, environment, root)}.json"
    if path.exists():
        return path.read_text(encoding="utf-8")
    definition = compile_pipeline(settings, environment, root, pipeline).definition
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(path, definition.encode())
    return definition


def _key(settings: Settings, environment: Environment, root: Path) -> str:
    code = {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for package in ("pipelines", *PACKAGES)
        for path in sorted((root / package).rglob("*.py"))
    }
    here = image(settings.jobs.image_version)
    lists = [here.wheel_list, here.list_of(settings.candidates.libraries)]
    wheels, sdk = [digest_of(each) for each in lists], [version(package) for package in SDK]
    inputs = [settings.model_dump(mode="json"), asdict(environment), code, wheels, git_commit(root), sdk]
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:32]
