"""Archives cannot leave their folder, and equal files are equal bytes."""

import io
import os
import shutil
import tarfile
from pathlib import Path

import pytest

from local_sagemaker.processes.archives import pack, unpack
from local_sagemaker.processes.outcome import ClientFault


def archive_of(path: Path, *members: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for member in members:
            tar.addfile(member, io.BytesIO(b"x" * member.size))
    return path


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, 1 if kind == tarfile.REGTYPE else 0
    return info


@pytest.mark.parametrize(
    "unsafe",
    [
        member("/etc/passwd"),
        member("../outside"),
        member("code/../../outside"),
        member("link", tarfile.SYMTYPE, "/etc/passwd"),
        member("link", tarfile.SYMTYPE, "../../outside"),
        member("link", tarfile.LNKTYPE, "../outside"),
        member("device", tarfile.CHRTYPE),
    ],
    ids=lambda info: f"{info.name}>{info.linkname}",
)
def test_an_unsafe_member_is_refused_by_name(tmp_path: Path, unsafe: tarfile.TarInfo) -> None:
    archive = archive_of(tmp_path / "a.tar.gz", member("fine"), unsafe)
    with pytest.raises(
        ClientFault, match=r"The archive s3://b/a\.tar\.gz is unsafe: its member '.*" + unsafe.name[-4:]
    ):
        unpack(archive, tmp_path / "folder" / "deep", "s3://b/a.tar.gz")
    assert not (tmp_path / "folder" / "outside").exists()
    assert not (tmp_path / "outside").exists()


@pytest.mark.parametrize(
    "members",
    [
        [member("here", tarfile.SYMTYPE, "."), member("here/file")],
        [member("file", tarfile.SYMTYPE, "other"), member("file")],
        [member("here", tarfile.SYMTYPE, "."), member("hard", tarfile.LNKTYPE, "here/fine")],
        # out leads out of the folder only once a/b/top is there
        [member("out", tarfile.SYMTYPE, "a/b/top/.."), member("a/b/top", tarfile.SYMTYPE, "../..")],
    ],
    ids=["folder", "file", "hard link", "chain"],
)
def test_nothing_is_written_through_a_link_and_no_chain_of_links_leads_out(
    tmp_path: Path, members: list[tarfile.TarInfo]
) -> None:
    archive = archive_of(tmp_path / "a.tar.gz", member("fine"), *members)
    with pytest.raises(ClientFault, match="is unsafe: its member"):
        unpack(archive, tmp_path / "folder", "a")
    assert not (tmp_path / "folder" / "out").is_symlink()


def test_an_archive_that_would_fill_the_disk_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = archive_of(tmp_path / "a.tar.gz", member("one"), member("two"))
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1))
    with pytest.raises(ClientFault, match="'two' would fill the disk"):
        unpack(archive, tmp_path / "folder", "a")


def test_links_within_the_folder_are_kept(tmp_path: Path) -> None:
    archive = archive_of(tmp_path / "a.tar.gz", member("deep/one"), member("two", tarfile.SYMTYPE, "deep/one"))
    unpack(archive, tmp_path / "folder", "a")
    assert (tmp_path / "folder" / "two").read_text() == "x"


@pytest.mark.parametrize("content", [b"", b"no archive", b"\x1f\x8b\x08broken"])
def test_what_is_no_archive_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(ClientFault, match=r"s3://b/a is not a tar\.gz archive"):
        unpack(tmp_path / "a", tmp_path / "folder", "s3://b/a")


def test_equal_files_are_equal_bytes_and_survive_the_way_back(tmp_path: Path) -> None:
    for number, name in enumerate(("first", "second")):
        folder = tmp_path / name
        (folder / "deep").mkdir(parents=True)
        (folder / "deep" / "run.sh").write_text("#!/bin/sh")
        (folder / "deep" / "run.sh").chmod(0o700)
        (folder / "b").write_text("b")
        os.utime(folder / "b", (number, number))
        pack(folder, tmp_path / f"{name}.tar.gz")
    assert (tmp_path / "first.tar.gz").read_bytes() == (tmp_path / "second.tar.gz").read_bytes()
    unpack(tmp_path / "first.tar.gz", tmp_path / "back", "first")
    assert (tmp_path / "back" / "b").read_text() == "b"
    assert os.access(tmp_path / "back" / "deep" / "run.sh", os.X_OK)


def test_a_name_that_no_file_can_have_is_refused(tmp_path: Path) -> None:
    info = member("model")
    info.pax_headers = {"path": "model\0.json"}
    with pytest.raises(ClientFault, match=r"its member 'model\\x00.json' has a name that no file can have"):
        unpack(archive_of(tmp_path / "a.tar.gz", info), tmp_path / "out", "s3://b/a.tar.gz")


def test_an_archive_of_too_many_members_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local_sagemaker.processes.archives.MOST_MEMBERS", 3)
    path = archive_of(tmp_path / "a.tar.gz", *(member(str(number)) for number in range(3)))
    unpack(path, tmp_path / "three", "s3://b/a.tar.gz")
    path = archive_of(tmp_path / "a.tar.gz", *(member(str(number)) for number in range(4)))
    with pytest.raises(ClientFault, match=r"s3://b/a.tar.gz has more than 3 members: it is not unpacked"):
        unpack(path, tmp_path / "four", "s3://b/a.tar.gz")


def test_a_link_to_itself_is_a_fault_of_the_archive(tmp_path: Path) -> None:
    archive = tmp_path / "loop.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        member = tarfile.TarInfo("loop")
        member.type, member.linkname = tarfile.SYMTYPE, "loop"
        tar.addfile(member)
    with pytest.raises(ClientFault, match="'loop'"):
        unpack(archive, tmp_path / "out", "loop.tar.gz")
