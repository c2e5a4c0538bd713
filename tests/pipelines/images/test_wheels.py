"""What is said where a wheel of the image cannot be downloaded."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from pipelines.errors import PipelineError
from pipelines.images import wheels
from pipelines.images.wheels import download

NO_BUILD = """ERROR: Could not find a version that satisfies the requirement pyarrow==0.17.0 (from versions: 22, 23)
ERROR: No matching distribution found for pyarrow==0.17.0
"""
NOBODY = """ERROR: Could not find a version that satisfies the requirement attrs==26.1.0 (from versions: none)
ERROR: No matching distribution found for attrs==26.1.0
"""
ANOTHER = """ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.
    attrs==26.1.0 from https://index/attrs-26.1.0-py3-none-any.whl#sha256=c6 (from -r /tmp/r.txt (line 1)):
        Expected sha256 00
             Got        c6
"""


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (
            NO_BUILD,
            "the package index has no wheel of pyarrow==0.17.0 for Python 3.12 on x86_64 Linux; where a version",
        ),
        (NOBODY, "no wheel of attrs==26.1.0 for Python 3.12 on x86_64 Linux, or cannot be reached; "),
        (ANOTHER, "attrs==26.1.0 is another file on the package index than the one whose hash is in the list"),
        ("ERROR: No space left on device.\n", "cannot be downloaded: No space left on device."),
    ],
    ids=["no build", "no index", "another file", "anything else"],
)
def test_the_wheel_that_cannot_be_had_is_named_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, why: str
) -> None:
    def fail(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        assert "--only-binary=:all:" in command
        return subprocess.CompletedProcess(command, 1, "", said)

    monkeypatch.setattr(wheels.subprocess, "run", fail)
    with pytest.raises(PipelineError) as caught:
        download(["x"], "3.12", tmp_path)
    assert why in str(caught.value)
    assert not str(caught.value).endswith("..")
