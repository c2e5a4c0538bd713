"""Code of the jobs, run beside a command in a process of its own: it needs libraries that commands do not load."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from command_line.session import Session

PROJECT = Path(__file__).resolve().parents[1]
AS_OBSERVE = "monitoring.observe"  # whose sections of the settings it gets


def answer_of(
    session: "Session", module: str, folder: Path, places: Mapping[str, Path], moved: float
) -> dict[str, Any]:
    """Run a module with --NAME PLACE for each place, and the settings; the JSON that it writes.

    `folder` is for its files, `moved` is the change that counts as one. DeploymentError with its words where it fails.
    """
    from deployment.errors import DeploymentError
    from pipelines.definition.job_code import settings_of

    settings, output = folder / "settings.json", folder / "answer.json"
    settings.write_text(json.dumps(settings_of(AS_OBSERVE, session.settings.for_jobs())), encoding="utf-8")
    all_places = {**places, "settings": settings, "output": output}
    given = [word for name, path in all_places.items() for word in (f"--{name}", str(path))]
    command = [sys.executable, "-m", module, *given, "--moved", str(moved)]
    environment = {**os.environ, "SM_OUTPUT_DIR": str(folder / "said")}
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.startswith("error: ")] or done.stderr.splitlines()
        said = lines[-1].removeprefix("error: ") if lines else f"it ended with {done.returncode}"
        raise DeploymentError(f"The versions cannot be compared: {said}")
    document: dict[str, Any] = json.loads(output.read_text(encoding="utf-8"))
    return document
