"""tar.gz in and out: unpacking that cannot leave its folder, packing that is the same bytes for the same files."""

import gzip
import tarfile
from pathlib import Path, PurePosixPath

from local_sagemaker.jobs.outcome import ClientFault


def unpack(archive: Path, folder: Path, source: str) -> None:
    """Extract a tar archive into a folder; `source` is its name in errors.

    ClientFault names the member that is unsafe (absolute path, `..`, a link out of the folder, a device)
    and is raised as well where the file is no tar archive.
    """

    def safe(member: tarfile.TarInfo, destination: str) -> tarfile.TarInfo | None:
        # tarfile's data filter takes the root off an absolute path; such an archive is not to be trusted.
        if PurePosixPath(member.name).is_absolute() or ".." in PurePosixPath(member.name).parts:
            raise ClientFault(f"The archive {source} is unsafe: its member {member.name!r} leaves the folder.")
        return tarfile.data_filter(member, destination)

    folder.mkdir(parents=True, exist_ok=True)
    try:
        with tarfile.open(archive, "r:*") as tar:
            tar.extractall(folder, filter=safe)  # noqa: S202 - that is what `safe` is for
    except tarfile.FilterError as error:
        raise ClientFault(f"The archive {source} is unsafe: its member {error.tarinfo.name!r}: {error}.") from None
    except (tarfile.TarError, EOFError, gzip.BadGzipFile) as error:
        raise ClientFault(f"{source} is not a tar.gz archive: {error}.") from None


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
