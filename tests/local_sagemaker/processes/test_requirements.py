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


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("pytest\r\n".encode("utf-16"), False),
        (b"\xfe\xff" + "pytest\n".encode("utf-16-be"), False),
        ("no-such-thing\r\n".encode("utf-16"), True),
        ("pytest\n".encode("utf-32"), False),
        (b"\xef\xbb\xbfpytest\n", False),
        ("# -*- coding: latin-1 -*-\n# caf\xe9\npytest\n".encode("latin-1"), False),
        ("# caf\xe9\npytest\n".encode("latin-1"), True),  # pip's to judge: it depends on pip's version and locale
        (b"# coding: no-such-encoding\npytest\n", True),
    ],
)
def test_an_encoding_is_found_as_pip_finds_it(tmp_path: Path, content: bytes, expected: bool) -> None:
    (tmp_path / "requirements.txt").write_bytes(content)
    assert missing(tmp_path / "requirements.txt") is expected
