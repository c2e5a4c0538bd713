"""Definitions compiled before: compiling is pure, so equal inputs need not wait for the SDK's import again."""

import hashlib
import json
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from pipelines.definition.compilation import Compiled, compile_pipeline
from pipelines.definition.job_code import JobCode, job_code
from pipelines.definition.revision import git_commit
from pipelines.files import write_whole
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
    """What `compile_pipeline` gives, from `folder` where the same inputs were compiled before.

    The inputs are all that the bytes depend on: the settings, the environment, the commit, the code of the
    jobs and of the pipelines, and the versions of the SDK's packages.
    """
    code, commit = job_code(root, settings, pipeline), git_commit(root)
    path = folder / f"{pipeline}-{_key(settings, environment, code, commit, root)}.json"
    if path.exists():
        return Compiled.of(settings, path.read_text(encoding="utf-8"), code, commit, pipeline)
    compiled = compile_pipeline(settings, environment, root, pipeline)
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(path, compiled.definition.encode())
    return compiled


def _key(settings: Settings, environment: Environment, code: JobCode, commit: str, root: Path) -> str:
    compiler = {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted((root / "pipelines").rglob("*.py"))
    }
    sdk = [version(package) for package in SDK]
    inputs = [settings.model_dump(mode="json"), asdict(environment), code.digests, commit, compiler, sdk]
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:32]
