"""What is patched of moto is what was read when the patch was written."""

import hashlib
import importlib
import inspect
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.moto_services.patches import PATCHES, put

READ = Path(__file__).with_name("patched_moto.json")  # name -> SHA-256 of moto's source; null where moto has nothing
ABSENT = "moto lacks it"


def moto_source(name: str) -> str | None:
    """The digest of the source of what a patch replaces; to be asked in a process where nothing is patched."""
    parts = name.split(".")
    for end in range(len(parts) - 1, 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        for part in parts[end:]:
            found = getattr(found, part, None)
        return hashlib.sha256(inspect.getsource(found).encode()).hexdigest() if found is not None else None
    raise ModuleNotFoundError(name)


def moto_sources() -> dict[str, str | None]:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    command = [sys.executable, __file__]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    found: dict[str, str | None] = json.loads(done.stdout)
    return found


@pytest.mark.e2e
def test_a_moto_that_has_changed_what_is_patched_is_noticed_by_the_name_of_the_patch() -> None:
    """Read what has changed and whether the patch still holds; then keep what this file prints as patched_moto.json."""
    read, found = json.loads(READ.read_text()), moto_sources()
    assert [name for name in PATCHES if found[name] != read.get(name)] == []
    assert [name for name, digest in found.items() if digest is None] == [
        name for name, why in PATCHES.items() if why.startswith(ABSENT)
    ]


def test_what_is_not_listed_is_not_patched() -> None:
    from moto.s3 import models

    with pytest.raises(KeyError, match=r"moto\.s3\.models\.FakeAcl is not a patch"):
        put(models, "FakeAcl", None)


if __name__ == "__main__":
    print(json.dumps({name: moto_source(name) for name in PATCHES}, indent=2))
