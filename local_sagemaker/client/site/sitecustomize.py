"""Python runs this at its start where `env` has put this folder into PYTHONPATH; then the sitecustomize it hides."""

import importlib.machinery
import importlib.util
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def _run(path: Path) -> None:
    spec = importlib.util.spec_from_file_location("_local_sagemaker_redirection", path)
    if spec is not None and spec.loader is not None:
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        module.redirect()


def _run_the_next() -> None:
    others = [folder for folder in sys.path if Path(folder or ".").resolve() != HERE]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", others)
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


_run(HERE.parent / "sdk_redirection.py")
_run_the_next()
