"""The private /opt/ml of one host of a job: a mount namespace, or the same folder under another path."""

import functools
import os
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Literal

from local_sagemaker.processes.archives import pack, unpack
from local_sagemaker.processes.outcome import ClientFault

ETC_HOSTS = Path("/etc/hosts")
SUPERVISOR = Path(__file__).with_name("supervisor.py")
CONTRACT_FOLDER = PurePosixPath("/opt/ml")
SWITCH = "SAGEMAKER_LOCAL_ISOLATION"  # mount | rewrite; without it, mount wherever the kernel allows it
Isolation = Literal["mount", "rewrite"]

MENTION = re.compile(r"(?<![\w.-])/opt/ml(?![\w.-])")
CODE_SUFFIXES = (".py", ".sh", ".json", ".txt")
ARCHIVE_SUFFIXES = (".tar.gz", ".tgz")
LARGEST_CODE_FILE = 1 << 20  # bytes; larger files are data, which is never rewritten
LARGEST_CODE_ARCHIVE = 20 << 20
PLAIN_PATH = re.compile(r"[\w/.+@-]+")


def isolation_here() -> Isolation:
    """How a private /opt/ml is made on this machine; ValueError for an unknown value of the switch."""
    forced = os.environ.get(SWITCH)
    if forced is None:
        return "mount" if mounts_work() else "rewrite"
    known: dict[str, Isolation] = {"mount": "mount", "rewrite": "rewrite"}
    if forced not in known:
        raise ValueError(f"{SWITCH} is {forced!r}: set it to mount or rewrite, or unset it.")
    if forced == "mount" and not mounts_work():
        raise ValueError(f"{SWITCH} is mount, which this machine does not allow: unset it, or set it to rewrite.")
    return known[forced]


@functools.cache
def mounts_work() -> bool:
    """Whether this user may mount in a namespace, and /opt exists to mount on; tried once per process."""
    if sys.platform != "linux":
        return False
    with tempfile.TemporaryDirectory() as folder:
        probe = [sys.executable, "-I", "-S", str(SUPERVISOR), "--probe", folder]
        return subprocess.run(probe, capture_output=True, check=False).returncode == 0


class PrivateFolder:
    """One host's files: `ml` is its /opt/ml, beside it a home and a folder for temporary files."""

    def __init__(self, root: Path, isolation: Isolation) -> None:
        self.root = root.absolute()
        self.ml = self.root / "opt" / "ml"
        self.home = self.root / "home"
        self.temporary = self.root / "tmp"
        self.mounted = isolation == "mount"
        self.hosts = self.root / "hosts"
        self.name = ""
        self._alias: tempfile.TemporaryDirectory[str] | None = None
        for folder in (self.ml, self.home, self.temporary):
            folder.mkdir(parents=True, exist_ok=True)
        self.seen_as = str(CONTRACT_FOLDER if self.mounted else self._plain_path())

    def path(self, path: str) -> Path:
        """Where a path under /opt/ml really is; ClientFault for any other path."""
        inside = PurePosixPath(path)
        if ".." in inside.parts or not inside.is_relative_to(CONTRACT_FOLDER):
            raise ClientFault(f"The local path {path!r} is not under {CONTRACT_FOLDER}.")
        return self.ml / inside.relative_to(CONTRACT_FOLDER)

    def rewrite(self, text: str) -> str:
        """A text as the job must see it: unchanged where /opt/ml is mounted, else with the real path."""
        return text if self.mounted else MENTION.sub(lambda _: self.seen_as, text)

    def rewrite_code(self, folder: Path) -> None:
        """Do the same to the code files under a folder, also to those in code archives."""
        if self.mounted:
            return
        for path in sorted(folder.rglob("*")):
            if path.is_symlink() or not path.is_file():
                continue
            if path.name.endswith(ARCHIVE_SUFFIXES) and path.stat().st_size <= LARGEST_CODE_ARCHIVE:
                self._rewrite_archive(path)
            elif path.suffix in CODE_SUFFIXES and path.stat().st_size <= LARGEST_CODE_FILE:
                self._rewrite_file(path)

    def name_hosts(self, name: str, addresses: Mapping[str, str]) -> None:
        """Let this host have a name, and let it find the others by theirs; only in a namespace."""
        known = ETC_HOSTS.read_text("utf-8", "replace")
        lines = [f"{address} {host}" for host, address in addresses.items()]
        self.hosts.write_text("\n".join([known, *lines, ""]), "utf-8")
        self.name = name

    def close(self) -> None:
        """Let go of what lies outside the root."""
        if self._alias is not None:
            self._alias.cleanup()

    def _rewrite_file(self, path: Path) -> None:
        content = path.read_bytes()
        if str(CONTRACT_FOLDER).encode() in content:
            path.write_text(self.rewrite(content.decode("utf-8", "surrogateescape")), "utf-8", "surrogateescape")

    def _rewrite_archive(self, path: Path) -> None:
        if not _mentions(path):
            return
        with tempfile.TemporaryDirectory(dir=self.temporary) as scratch:
            unpack(path, Path(scratch) / "content", path.name)
            self.rewrite_code(Path(scratch) / "content")
            pack(Path(scratch) / "content", Path(scratch) / "packed")
            (Path(scratch) / "packed").replace(path)

    def _plain_path(self) -> Path:
        """A path without blanks and the like, which shell scripts would trip over."""
        if PLAIN_PATH.fullmatch(str(self.ml)):
            return self.ml
        self._alias = tempfile.TemporaryDirectory(prefix="sagemaker-")
        link = Path(self._alias.name) / "ml"
        link.symlink_to(self.ml)
        return link


def _mentions(archive: Path) -> bool:
    """Whether a code file in the archive names /opt/ml; a file that is not an archive does not."""
    try:
        with tarfile.open(archive, "r:*") as tar:
            for member in tar:
                if member.isfile() and member.name.endswith(CODE_SUFFIXES) and member.size <= LARGEST_CODE_FILE:
                    stream = tar.extractfile(member)
                    if stream is not None and str(CONTRACT_FOLDER).encode() in stream.read():
                        return True
    except (tarfile.TarError, EOFError, OSError):
        return False  # the job will find out, and say so in its own words
    return False
