"""Install the wheels that came with a job, which its image lacks: no package index is asked.

The list names each wheel's version and hash. On AWS the wheels lie beside it. Local SageMaker gets the list alone,
which the environment must meet.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from steps.failure import JobError, listed

LIST = "requirements.txt"
PIN = re.compile(r"([\w.-]+)==(\S+) --hash=sha256:[0-9a-f]{64}")


def ensure(packages: Sequence[str], folder: Path) -> None:
    """See to it that the environment has what the list in `folder` names; `packages` are those that the job imports.

    Raises JobError where the wheels cannot be installed, or where there are none and one of `packages` differs. What
    else differs then is printed as a warning. A job without a list runs on what is there.
    """
    path = folder / LIST
    if not path.exists():
        return
    different = differing(path.read_text(encoding="utf-8"))
    if not different:
        return
    if any(folder.glob("*.whl")):
        _install(path)
        return
    said = {
        name: f"{name} {here or 'missing'} where the list has {wanted}" for name, (wanted, here) in different.items()
    }
    needed = [said[name] for name in packages if name in said]
    if needed:
        raise JobError(
            f"No wheels came with the job, and this environment has {listed(needed)}: install the version of the list."
        )
    print(f"warning: this environment is not the image's: it has {listed(said.values())}", flush=True)


def ensure_all(folder: Path) -> None:
    """The same for a list all of whose packages are needed."""
    ensure(list(pins_of(folder)), folder)


def pins_of(folder: Path) -> dict[str, str]:
    """Name -> version of the list that came with the job; none where no list did."""
    path = folder / LIST
    return _pins(path.read_text(encoding="utf-8")) if path.exists() else {}


def _pins(text: str) -> dict[str, str]:
    found = (PIN.match(line) for line in text.splitlines())
    return {match[1]: match[2] for match in found if match}


def differing(text: str) -> dict[str, tuple[str, str | None]]:
    """Name -> (version of the list, version here or None) of every package that is not the one of the list."""
    pins = _pins(text)
    here = {name: _installed(name) for name in pins}
    return {name: (version, here[name]) for name, version in pins.items() if here[name] != version}


def _installed(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _install(path: Path) -> None:
    options = ["--quiet", "--disable-pip-version-check", "--no-index", "--no-deps", "--require-hashes"]
    options += ["--find-links", str(path.parent), "-r", str(path)]
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", *options], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        print(done.stdout, done.stderr, file=sys.stderr, flush=True)
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR: ")]
        why = f": {errors[-1].removeprefix('ERROR: ')}" if errors else "; see the log."
        raise JobError(f"pip could not install the wheels that came with the job{why}")
    importlib.invalidate_caches()
