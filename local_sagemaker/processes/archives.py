"""tar.gz in and out: unpacking that cannot leave its folder, packing that is the same bytes for the same files."""

import gzip
import shutil
import tarfile
import zlib
from pathlib import Path, PurePosixPath

from local_sagemaker.processes.outcome import ClientFault

MOST_MEMBERS = 50_000  # of a model or of code; more take minutes, in which nothing answers


def unpack(archive: Path, folder: Path, source: str) -> None:
    """Extract a tar archive into a folder; `source` is its name in errors.

    ClientFault names the member that is unsafe (absolute path, `..`, a link out of the folder, a file that
    would be written through a link, a device, more than the disk has free) and is raised as well where the
    file is not a tar archive.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with tarfile.open(archive, "r:*") as tar:
            tar.extractall(folder, filter=_Guard(source, shutil.disk_usage(folder).free))  # noqa: S202 - guarded
    except tarfile.FilterError as error:
        raise ClientFault(f"The archive {source} is unsafe: its member {error.tarinfo.name!r}: {error}.") from None
    except (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ClientFault(f"{source} is not a tar.gz archive: {error}.") from None
    _check_links(folder, source)


class _Guard:
    """Looks at each member before it is written; tarfile's data filter, and what that leaves to be asked.

    The data filter takes the root off an absolute path, where such an archive is not to be trusted, and its
    versions before mid-2025 can be led out of the folder by links (CVE-2025-4517): so nothing is written
    through a link at all.
    """

    def __init__(self, source: str, free: int) -> None:
        self._source = source
        self._free = free
        self._members = 0
        self._links: set[PurePosixPath] = set()

    def __call__(self, member: tarfile.TarInfo, destination: str) -> tarfile.TarInfo | None:
        self._members += 1
        if self._members > MOST_MEMBERS:
            raise ClientFault(f"The archive {self._source} has more than {MOST_MEMBERS} members: it is not unpacked.")
        if "\0" in member.name or "\0" in member.linkname:
            raise self._fault(member, "has a name that no file can have")
        path = PurePosixPath(member.name)
        if path.is_absolute() or ".." in path.parts:
            raise self._fault(member, "leaves the folder")
        if not self._links.isdisjoint((path, *path.parents)):
            raise self._fault(member, "would be written through a link")
        if member.issym():
            self._links.add(path)
        elif member.islnk() and not self._links.isdisjoint((target := PurePosixPath(member.linkname), *target.parents)):
            raise self._fault(member, "would be linked through a link")
        self._free -= member.size
        if self._free < 0:
            raise self._fault(member, "would fill the disk")
        return tarfile.data_filter(member, destination)

    def _fault(self, member: tarfile.TarInfo, what: str) -> ClientFault:
        return ClientFault(f"The archive {self._source} is unsafe: its member {member.name!r} {what}.")


def _check_links(folder: Path, source: str) -> None:
    """A link that pointed to nothing when it was made may lead out of the folder since."""
    root = folder.resolve()
    for path in folder.rglob("*"):
        if path.is_symlink() and (fault := _link_fault(path, root)):
            path.unlink()
            name = path.relative_to(folder).as_posix()
            raise ClientFault(f"The archive {source} is unsafe: its member {name!r} is a link {fault}.")


def _link_fault(link: Path, root: Path) -> str | None:
    try:
        return None if link.resolve().is_relative_to(root) else "out of the folder"
    except (OSError, RuntimeError):  # the latter before Python 3.13
        return "that leads back to itself"


def pack(folder: Path, archive: Path) -> None:
    """Write a folder as tar.gz: sorted, without times and owners, so that equal files give equal bytes."""
    with (
        archive.open("wb") as stream,
        gzip.GzipFile(fileobj=stream, mode="wb", filename="", mtime=0, compresslevel=6) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for path in sorted(folder.rglob("*")):
            tar.add(path, str(path.relative_to(folder)), recursive=False, filter=_anonymous)


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.mtime = member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
    return member
