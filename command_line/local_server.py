"""The local SageMaker of this checkout, with the functions that its pipelines call."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from local_sagemaker.client.lifecycle import Server

PROJECT = Path(__file__).resolve().parents[1]
STATE = PROJECT / ".sagemaker"
HANDLERS = PROJECT / "infrastructure" / "functions" / "handlers.py"


def local_server() -> "Server":
    """Start it where it does not run, and point this process at it."""
    from local_sagemaker.client.lifecycle import use_local

    return use_local(STATE, announce=lambda text: print(text, file=sys.stderr), handlers=HANDLERS)


def require_functions(server: "Server") -> None:
    """LocalSageMakerError where the server was started without any function, so that a Lambda step could not run."""
    from local_sagemaker.errors import LocalSageMakerError

    if server.handlers is None:
        raise LocalSageMakerError(
            f"The local SageMaker on port {server.port} was started without this project's functions, which the "
            "monitoring calls: stop it with `run_pipeline.py local down`, then run this again."
        )
