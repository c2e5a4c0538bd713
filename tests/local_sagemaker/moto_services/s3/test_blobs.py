"""Files of bytes."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_sagemaker.moto_services.s3.blobs import BlobFolder, BlobView


@pytest.fixture
def folder(tmp_path: Path) -> BlobFolder:
    return BlobFolder(tmp_path / "objects")


def test_what_is_written_is_one_file_and_its_hash(folder: BlobFolder) -> None:
    blob = folder.write([b"one", b"", b"two"])
    assert blob.path.read_bytes() == b"onetwo"
    assert (blob.size, blob.md5) == (6, hashlib.md5(b"onetwo", usedforsecurity=False).hexdigest())


def test_bytes_that_end_in_an_error_leave_no_file(folder: BlobFolder) -> None:
    def blocks() -> Iterator[bytes]:
        yield b"half"
        raise ConnectionError

    with pytest.raises(ConnectionError):
        folder.write(blocks())
    assert list(folder.path.iterdir()) == []


def test_a_view_has_a_length_slices_and_blocks(folder: BlobFolder) -> None:
    blob = folder.write([bytes(range(100))])
    view = BlobView(blob.path, 10, 50)
    assert (len(view), b"".join(view)) == (50, bytes(range(10, 60)))
    assert b"".join(view[5:7]) == bytes([15, 16])
    assert b"".join(view[45:999]) == bytes(range(55, 60))


def test_a_view_stays_readable_when_its_file_is_deleted(folder: BlobFolder) -> None:
    blob = folder.write([b"still here"])
    view = BlobView(blob.path, 0, blob.size)[6:10]
    blob.discard()
    assert b"".join(view) == b"here"


def test_a_copy_of_a_whole_file_takes_no_space_and_outlives_it(folder: BlobFolder) -> None:
    blob = folder.write([b"shared"])
    copy = folder.copy(BlobView(blob.path, 0, blob.size, blob.md5))
    assert copy.path.stat().st_ino == blob.path.stat().st_ino
    blob.discard()
    assert (copy.path.read_bytes(), copy.md5) == (b"shared", blob.md5)


def test_a_copy_of_a_range_is_a_file_of_its_own(folder: BlobFolder) -> None:
    blob = folder.write([b"0123456789"])
    copy = folder.copy(BlobView(blob.path, 2, 3))
    assert (copy.path.read_bytes(), copy.md5) == (b"234", hashlib.md5(b"234", usedforsecurity=False).hexdigest())


def test_what_is_no_file_of_an_object_is_left_alone_and_named(
    folder: BlobFolder, caplog: pytest.LogCaptureFixture
) -> None:
    blob = folder.write([b"abc"])
    (folder.path / "a-folder").mkdir()
    (folder.path / "a-link").symlink_to(blob.path)
    assert list(folder.files()) == [(blob.name, 3)]
    assert sorted(record.args[0].rpartition("/")[2] for record in caplog.records) == ["a-folder", "a-link"]  # type: ignore[index, union-attr]


def test_a_file_and_then_its_name_are_on_the_disk_before_it_is_answered(
    folder: BlobFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[str, bytes | None]] = []
    fsync = os.fsync

    def recording(descriptor: int) -> None:
        path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        synced.append((path.name, path.read_bytes() if path.is_file() else None))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", recording)
    blob = folder.write([b"one", b"two"])
    assert synced == [(blob.name, b"onetwo"), ("objects", None)]
    folder.copy(BlobView(blob.path, 0, 6, blob.md5))
    assert synced[2:] == [("objects", None)]


def test_the_name_of_a_file_in_the_folder_is_no_path_to_another(folder: BlobFolder) -> None:
    outside = folder.path.parent / "thesis.docx"
    outside.write_bytes(b"years of work")
    for name in ("../thesis.docx", str(outside), "..", ""):
        with pytest.raises(ValueError, match="is not the name of a file"):
            folder.delete(name)
    assert outside.exists()
    blob = folder.write([b"x"])
    folder.delete(blob.name)
    folder.delete(blob.name)
    assert not blob.path.exists()
