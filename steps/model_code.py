"""What a model directory holds for serving beside the model: this package, and the wheels that it needs."""

from __future__ import annotations

import shutil
from pathlib import Path

from steps.artifacts import write_text
from steps.wheels import LIST, pins_of


def copy_wheels(wheels: Path, folder: Path) -> None:
    """Put the wheels that came with the job into a folder of the model's code, and a requirements.txt beside it.

    The image's toolkit installs what that names as the endpoint starts, and asks no index. On local SageMaker no wheels
    come: its environment has what the list names.
    """
    pins = [f"{name}=={version}" for name, version in pins_of(wheels).items()]
    if not pins:
        return
    came = sorted(wheels.glob("*.whl"))
    folder.mkdir(parents=True, exist_ok=True)
    for path in (wheels / LIST, *came):
        shutil.copyfile(path, folder / path.name)
    options = ["--no-index", f"--find-links {folder.name}"] if came else []
    write_text(folder.parent / "requirements.txt", "".join(f"{line}\n" for line in [*options, *pins]))


def copy_serving_code(folder: Path) -> None:
    """Put this package beside the model: the endpoint imports steps.serve from there."""
    package = Path(__file__).parent
    for source in sorted(package.rglob("*.py")):
        target = folder / "steps" / source.relative_to(package)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
