"""Bytes in files: each file is written once, is whole on the disk before anything names it, and never changes."""

import contextlib
import hashlib
import os
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path

from local_sagemaker.moto_services.s3.checksums import Hash
from local_sagemaker.state.checks import files_in

BLOCK = 1 << 20


class Blob:
    """The bytes of an object to be, in a file; `md5` is their hash in hexadecimal digits."""

    def __init__(self, path: Path, size: int, md5: str) -> None:
        self.path = path
        self.name = path.name
        self.size = size
        self.md5 = md5
        self.named = False  # whether an object has taken it

    def discard(self) -> None:
        """Delete the file, unless an object has taken it."""
        if not self.named:
            self.path.unlink(missing_ok=True)


class BlobView:
    """A range of a file's bytes that can be read for as long as this exists, even if the file is deleted.

    It has what moto asks of an object's bytes: a length, slices, and the blocks one after another.
    `md5` is the hash of the whole file where it is known, and this view is of the whole file.
    """

    def __init__(
        self, path: Path, start: int, size: int, md5: str | None = None, file: "_OpenFile | None" = None
    ) -> None:
        self.path = path
        self.md5 = md5
        self._file = file or _OpenFile(path)
        self._start = start
        self._size = size

    @property
    def is_whole(self) -> bool:
        """Whether the view is of the whole file."""
        return self._start == 0 and self._size == self._file.size

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, item: slice) -> "BlobView":
        start, stop, _ = item.indices(self._size)
        return BlobView(self.path, self._start + start, max(0, stop - start), file=self._file)

    def __iter__(self) -> Iterator[bytes]:
        position, end = self._start, self._start + self._size
        while position < end:
            block = os.pread(self._file.descriptor, min(BLOCK, end - position), position)
            if not block:
                raise OSError(f"the file {self.path} is shorter than the object that it holds")
            position += len(block)
            yield block

    def decode(self, encoding: str = "utf-8") -> str:
        """The bytes as text."""
        return b"".join(self).decode(encoding)


class _OpenFile:
    """A descriptor that is closed when nobody refers to it any more."""

    def __init__(self, path: Path) -> None:
        self.descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self.size = os.fstat(self.descriptor).st_size

    def __del__(self) -> None:
        with contextlib.suppress(AttributeError):  # open() has failed
            os.close(self.descriptor)


class BlobFolder:
    """The folder of the files."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        _sync(path.parent)

    def write(self, blocks: Iterable[bytes], hashes: Iterable[Hash] = ()) -> Blob:
        """Write a file and wait until the disk has it; `hashes` are fed with its bytes.

        Nothing is left behind where the disk is full or `blocks` raises.
        """
        path, md5, size = self._new(), hashlib.md5(usedforsecurity=False), 0
        digests = [md5, *hashes]
        try:
            with path.open("wb", buffering=0) as stream:
                for block in blocks:
                    _write_all(stream.fileno(), block)
                    for digest in digests:
                        digest.update(block)
                    size += len(block)
                os.fsync(stream.fileno())
            _sync(self.path)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return Blob(path, size, md5.hexdigest())

    def copy(self, view: BlobView) -> Blob:
        """The bytes of a view as a file of their own; the disk holds them once where they are a whole file."""
        if view.is_whole and view.md5 is not None:
            path = self._new()
            with contextlib.suppress(OSError):  # a file system without hard links: copy
                os.link(view.path, path)
                _sync(self.path)
                return Blob(path, len(view), view.md5)
        return self.write(view)

    def delete(self, name: str) -> None:
        """Delete a file of this folder, if it is there; ValueError for a name that is a path to elsewhere."""
        if not name or Path(name).name != name or name == "..":
            raise ValueError(f"{name!r} is not the name of a file in {self.path}.")
        (self.path / name).unlink(missing_ok=True)

    def files(self) -> Iterator[tuple[str, int]]:
        """Name and size in bytes of each file; what else somebody has put there is left alone."""
        return files_in(self.path)

    def _new(self) -> Path:
        return self.path / uuid.uuid4().hex


def _sync(folder: Path) -> None:
    """Have the disk keep the names in a folder, too: a file without its name is lost in a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, block: bytes) -> None:
    rest = memoryview(block)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
