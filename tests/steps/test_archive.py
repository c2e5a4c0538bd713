"""A model archive writes in its folder and nowhere else."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from steps.archive import MOST_MEMBERS, unpack
from steps.failure import JobError


def make(path: Path, member: tarfile.TarInfo, content: bytes = b"x") -> Path:
    with tarfile.open(path, "w:gz") as tar:
        if member.isfile():
            member.size = len(content)
        tar.addfile(member, io.BytesIO(content) if member.isfile() else None)
    return path


def test_files_and_folders(tmp_path: Path) -> None:
    unpack(make(tmp_path / "model.tar.gz", tarfile.TarInfo("./code/steps/serve.py")), tmp_path / "out")
    assert (tmp_path / "out" / "code" / "steps" / "serve.py").read_bytes() == b"x"


@pytest.mark.parametrize("name", ["../outside", "a/../../outside", "/tmp/outside-absolute"])
def test_member_outside_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(JobError, match="unsafe member"):
        unpack(make(tmp_path / "model.tar.gz", tarfile.TarInfo(name)), tmp_path / "out")
    assert not (tmp_path / "outside").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_refused(tmp_path: Path, kind: bytes) -> None:
    member = tarfile.TarInfo("link")
    member.type, member.linkname = kind, "/etc/passwd"
    with pytest.raises(JobError, match="unsafe member 'link'"):
        unpack(make(tmp_path / "model.tar.gz", member), tmp_path / "out")


def test_missing_and_damaged_archives_are_named(tmp_path: Path) -> None:
    with pytest.raises(JobError, match=r"model\.tar\.gz does not exist"):
        unpack(tmp_path / "model.tar.gz", tmp_path / "out")
    whole = make(tmp_path / "model.tar.gz", tarfile.TarInfo("a"), bytes(range(256)) * 50).read_bytes()
    for content in (b"no archive", whole[: len(whole) // 2]):
        (tmp_path / "model.tar.gz").write_bytes(content)
        with pytest.raises(JobError, match=r"model\.tar\.gz cannot be unpacked"):
            unpack(tmp_path / "model.tar.gz", tmp_path / "out")


def test_a_name_that_no_file_can_have_is_refused(tmp_path: Path) -> None:
    member = tarfile.TarInfo("model")
    member.pax_headers = {"path": "model\0.json"}
    with pytest.raises(JobError, match=r"has the member 'model\\x00.json', which is not a valid name"):
        unpack(make(tmp_path / "model.tar.gz", member), tmp_path / "out")
    assert not list((tmp_path / "out").glob("*")) if (tmp_path / "out").exists() else True


@pytest.mark.e2e
def test_an_archive_of_more_members_than_a_model_has_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        for number in range(MOST_MEMBERS + 1):
            tar.addfile(tarfile.TarInfo(f"folder/{number % 10}"))
    with pytest.raises(JobError, match=r"has more than 10000 members: it is not a model"):
        unpack(path, tmp_path / "out")
