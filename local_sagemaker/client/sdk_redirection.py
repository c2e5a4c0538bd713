"""What the SageMaker SDK would ask of others than AWS_ENDPOINT_URL leads here: AWS's STS, and Docker in local mode.

The SDK asks https://sts.REGION.amazonaws.com for the account and the role, past AWS_ENDPOINT_URL: get_execution_role(),
default_bucket(). Its local mode (LocalSession, LocalPipelineSession) runs jobs and models in Docker. This changes
modules once they are imported, in a process whose AWS_ENDPOINT_URL is this machine.
Imports the standard library only: `site/sitecustomize.py` runs it in interpreters that lack local SageMaker.
"""

import importlib.abc
import importlib.machinery
import importlib.util
import os
import re
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

SITE = Path(__file__).with_name("site")  # the folder whose sitecustomize.py calls `redirect`
STS = re.compile(r"https://sts(\.[a-z0-9-]+)?\.amazonaws\.com(\.cn)?/?")
HERE = re.compile(r"http://(127\.0\.0\.1|localhost)(:\d+)?/?")
POLL_SECONDS = 0.5


def redirect() -> None:
    """Do it now, or when the modules are imported."""
    for name, patch in PATCHES.items():
        if name in sys.modules:
            patch(sys.modules[name])
        elif not any(isinstance(finder, _Finder) and finder.name == name for finder in sys.meta_path):
            sys.meta_path.insert(0, _Finder(name, patch))


class _Finder(importlib.abc.MetaPathFinder):
    """Finds a module where it is, and patches it when it has run."""

    def __init__(self, name: str, patch: Callable[[Any], None]) -> None:
        self.name = name
        self._patch = patch

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self.name:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is None or spec.loader is None:
            return spec
        run = spec.loader.exec_module

        def run_and_patch(module: ModuleType) -> None:
            run(module)
            self._patch(module)

        spec.loader.exec_module = run_and_patch  # type: ignore[method-assign]
        return spec


def _is_here() -> bool:
    return HERE.fullmatch(os.environ.get("AWS_ENDPOINT_URL", "")) is not None


def _patch_sts(module: Any) -> None:
    creator = module.ClientCreator
    create = creator.create_client
    if getattr(create, "leads_here", False):
        return

    def create_client(self: Any, *arguments: Any, **options: Any) -> Any:
        if STS.fullmatch(options.get("endpoint_url") or "") and _is_here():
            options["endpoint_url"] = os.environ["AWS_ENDPOINT_URL"]
        return create(self, *arguments, **options)

    create_client.leads_here = True  # type: ignore[attr-defined]
    creator.create_client = create_client


def _patch_local_mode(module: Any) -> None:
    """Let a LocalSession run its jobs and models here; its pipelines stay the SDK's own."""
    session = module.LocalSession
    initialize = session._initialize  # noqa: SLF001
    if getattr(initialize, "leads_here", False):
        return

    def _initialize(self: Any, *arguments: Any, **options: Any) -> None:
        initialize(self, *arguments, **options)
        if _is_here():
            self.sagemaker_client = _LocalMode(self.sagemaker_client, self.boto_session.client("sagemaker"))
            self.sagemaker_runtime_client = self.boto_session.client("sagemaker-runtime")

    _initialize.leads_here = True  # type: ignore[attr-defined]
    session._initialize = _initialize  # noqa: SLF001


class _LocalMode:
    """The SageMaker client of a LocalSession: pipelines are the SDK's, and all that its steps make is made here.

    As in Docker, a job has ended when its Create call returns, and one that failed is a RuntimeError.
    """

    def __init__(self, pipelines: Any, here: Any) -> None:
        self._pipelines = pipelines
        self._here = here

    def __getattr__(self, name: str) -> Any:
        if "pipeline" in name:
            return getattr(self._pipelines, name)
        operation = getattr(self._here, name)
        verb, _, resource = name.partition("_")

        def call(*positional: str, **request: Any) -> Any:  # the SDK's own pipelines give a resource's name so
            field = f"{resource.title().replace('_', '')}Name"
            given = dict(zip([field], positional, strict=False)) | request
            given = {key: value for key, value in given.items() if value is not None}
            answer = operation(**given)
            if verb == "create" and resource.endswith("_job"):
                self._wait(resource, field, given[field])
            return answer

        return call if callable(operation) and resource else operation

    def _wait(self, resource: str, field: str, name: str) -> None:
        status = field.removesuffix("Name") + "Status"
        while True:
            job = getattr(self._here, f"describe_{resource}")(**{field: name})
            if job[status] not in ("InProgress", "Stopping"):
                break
            time.sleep(POLL_SECONDS)
        if job[status] != "Completed":
            kind = resource.replace("_", " ")
            raise RuntimeError(f"The {kind} {name} ended as {job[status]}: {job.get('FailureReason')}")


PATCHES = {
    "botocore.client": _patch_sts,
    "sagemaker.local.local_session": _patch_local_mode,  # the SDK's version 2
    "sagemaker.core.local.local_session": _patch_local_mode,  # and 3
}
