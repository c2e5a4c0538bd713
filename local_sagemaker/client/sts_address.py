"""The address of AWS's STS that the SageMaker SDK writes into its clients leads here.

The SDK asks https://sts.REGION.amazonaws.com for the account and the role, past AWS_ENDPOINT_URL: get_execution_role(),
default_bucket(). This changes botocore once it is imported, in a process whose AWS_ENDPOINT_URL is this machine.
Imports the standard library only: `site/sitecustomize.py` runs it in interpreters that lack local SageMaker.
"""

import importlib.abc
import importlib.machinery
import importlib.util
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

SITE = Path(__file__).with_name("site")  # the folder whose sitecustomize.py calls `redirect`
STS = re.compile(r"https://sts(\.[a-z0-9-]+)?\.amazonaws\.com(\.cn)?/?")
HERE = re.compile(r"http://(127\.0\.0\.1|localhost)(:\d+)?/?")
CLIENTS = "botocore.client"


def redirect() -> None:
    """Do it now, or when botocore is imported."""
    if CLIENTS in sys.modules:
        _patch(sys.modules[CLIENTS])
    elif not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


class _Finder(importlib.abc.MetaPathFinder):
    """Finds botocore.client where it is, and patches it when it has run."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != CLIENTS:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is None or spec.loader is None:
            return spec
        run = spec.loader.exec_module

        def run_and_patch(module: ModuleType) -> None:
            run(module)
            _patch(module)

        spec.loader.exec_module = run_and_patch  # type: ignore[method-assign]
        return spec


def _patch(module: Any) -> None:
    creator = module.ClientCreator
    create = creator.create_client
    if getattr(create, "leads_here", False):
        return

    def create_client(self: Any, *arguments: Any, **options: Any) -> Any:
        here = os.environ.get("AWS_ENDPOINT_URL", "")
        if STS.fullmatch(options.get("endpoint_url") or "") and HERE.fullmatch(here):
            options["endpoint_url"] = here
        return create(self, *arguments, **options)

    create_client.leads_here = True  # type: ignore[attr-defined]
    creator.create_client = create_client
