"""Say what a Python interpreter is: run by that interpreter, which may be older than ours and lacks our packages."""

import importlib.metadata
import importlib.util
import json
import os
import platform
import site
import sys
from collections.abc import Sequence


def versions(distributions: "Sequence[str]") -> "dict[str, str]":
    """The versions of those distributions that are installed."""
    found = {}
    for name in distributions:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def describe(distributions: "Sequence[str]") -> "dict[str, object]":
    """The program and what it links to, its version, where its packages (or else a wheel of pip) and scripts are."""
    folders = list(site.getsitepackages())
    if site.ENABLE_USER_SITE:
        folders.append(site.getusersitepackages())
    wheels = []
    if importlib.util.find_spec("pip") is None:  # uv makes virtual environments without it
        bundle = importlib.util.find_spec("ensurepip._bundled")
        for folder in list(bundle.submodule_search_locations or []) if bundle else []:
            names = sorted(name for name in os.listdir(folder) if name.startswith("pip-"))
            wheels += [os.path.join(folder, name) for name in names]
    return {
        "program": sys.executable,
        "executable": getattr(sys, "_base_executable", None) or sys.executable,
        "version": platform.python_version(),
        "versions": versions(distributions),
        "packages": [folder for folder in folders if os.path.isdir(folder)] + wheels[-1:],
        "scripts": os.path.dirname(sys.executable),
    }


if __name__ == "__main__":
    print(json.dumps(describe(sys.argv[1:])))
