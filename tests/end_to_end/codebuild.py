"""Runs a buildspec's own commands phase by phase, with CodeBuild's semantics, on this machine.

https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html: the commands of a version 0.2 buildspec
share one environment and run in `env.shell`, sh where it is not named; the first that fails ends its phase, whose
`finally` commands still run. After a failed install or pre_build nothing more runs, after a failed build post_build
does. `on-failure` changes that: ABORT runs nothing more, CONTINUE goes on to the next phase; the build has failed
all the same. What a command exports is there for the next, and at the end for `exported-variables`.
"""

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

PHASES = ("install", "pre_build", "build", "post_build")


@dataclass
class Build:
    """What came of a build: each phase that ran with its success, the log, the exported variables."""

    phases: dict[str, bool] = field(default_factory=dict)
    log: str = ""
    exported: dict[str, str] = field(default_factory=dict)
    ended: bool = False
    only_post_build: bool = False

    @property
    def succeeded(self) -> bool:
        """Whether every phase that ran did."""
        return all(self.phases.values())

    @property
    def last_line(self) -> str:
        """The end of the log, which is what a person sees first."""
        return self.log.rstrip().splitlines()[-1]


def read_buildspec(path: Path) -> dict[str, Any]:
    """A buildspec's content; ValueError for what CodeBuild would not take."""
    document: dict[str, Any] = yaml.safe_load(path.read_text())
    known = ("version", "run-as", "env", "proxy", "batch", "phases", "reports", "artifacts", "cache")
    unknown = [key for key in document if key not in known]
    unknown += [phase for phase in document["phases"] if phase not in PHASES]
    if unknown or document.get("version") != 0.2:
        raise ValueError(f"{path.name} is not a buildspec of version 0.2: {', '.join(unknown)}")
    return document


def run_build(
    buildspec: Path, folder: Path, variables: Mapping[str, str], scratch: Path, python: str = sys.executable
) -> Build:
    """Run a buildspec in a checkout; `variables` are the project's, and go before those of the buildspec.

    `python` is the path of what its commands call `python`.
    """
    document = read_buildspec(buildspec)
    settings = document.get("env", {})
    path = os.pathsep.join([str(Path(python).parent), str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {"PATH": path, "HOME": str(scratch), **_texts(settings.get("variables", {})), **variables}
    shell = settings.get("shell", "sh")
    kept, build = scratch / "environment", Build()
    kept.write_text("")
    for name in PHASES:
        phase = document["phases"].get(name)
        if phase is None or build.ended or (build.only_post_build and name != "post_build"):
            continue
        results = [
            _run(phase.get(block, []), shell, folder, environment, kept, build) for block in ("commands", "finally")
        ]
        build.phases[name] = all(results)
        if not all(results):
            policy = phase.get("on-failure", "post_build" if name == "build" else "ABORT")
            build.ended = policy == "ABORT"
            build.only_post_build = policy == "post_build"
    names = settings.get("exported-variables", [])
    script = f". {shlex.quote(str(kept))}; " + "; ".join(f'echo "{name}=${name}"' for name in names)
    out = subprocess.run([shell, "-c", script], env=environment, capture_output=True, text=True).stdout
    build.exported = dict(line.split("=", 1) for line in out.splitlines())
    return build


def _run(
    commands: list[str], shell: str, folder: Path, environment: Mapping[str, str], kept: Path, build: Build
) -> bool:
    """One block of commands in one shell that begins with, and leaves, the variables of the build."""
    place = shlex.quote(str(kept))
    script = [
        f". {place}",
        f"trap 'export -p > {place}' EXIT",
        *(f"{command}\n[ $? -eq 0 ] || exit 1" for command in commands),
    ]
    done = subprocess.run(
        [shell, "-c", "\n".join(script)],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    build.log += done.stdout
    return done.returncode == 0


def _texts(variables: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in variables.items()}
