"""Which requirements are satisfied already."""

from pathlib import Path

import pytest

from local_sagemaker.processes.requirements import missing


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", False),
        ("# nothing\n\n", False),
        ("pytest\n", False),
        ("pytest >=1  # a comment\n", False),
        ("pytest >=1000\n", True),
        ("no-such-thing\n", True),
        ("no-such-thing; sys_platform == 'nowhere'\n", False),
        ("pytest[dev]\n", True),
        ("pytest @ https://example.com/pytest.whl\n", True),
        ("-r other.txt\n", True),
        ("this is not a requirement\n", True),
    ],
)
def test_only_what_is_known_to_be_there_is_not_missing(tmp_path: Path, text: str, expected: bool) -> None:
    (tmp_path / "requirements.txt").write_text(text)
    assert missing(tmp_path / "requirements.txt") is expected
