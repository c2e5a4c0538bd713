"""The code that a job runs, as an archive under a key that names its content."""

import ast
import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pipelines.errors import PipelineError

PACKAGES = ("steps", "evaluation", "monitoring")
SETTINGS = "settings.json"
ARCHIVE = "sourcedir.tar.gz"
LARGEST_FILE = 5_000_000  # bytes; this is code, and every job downloads it
BLOCKS = ("body", "orelse", "handlers", "finalbody", "cases")  # where statements hold statements: no import elsewhere
DIGEST_LENGTH = 16  # hexadecimal digits of SHA-256 that the key carries


@dataclass(frozen=True)
class Bundle:
    """File contents by path in the archive."""

    files: dict[str, bytes]

    @property
    def digest(self) -> str:
        """A hash of paths and contents; the same on every machine."""
        content = hashlib.sha256()
        for path, data in sorted(self.files.items()):
            content.update(f"{path}\0{len(data)}\0".encode() + data)
        return content.hexdigest()[:DIGEST_LENGTH]

    def archive(self) -> bytes:
        """The tar.gz: sorted, without times, owners or modes, so that equal content is equal bytes."""
        stream = io.BytesIO()
        with (
            gzip.GzipFile(fileobj=stream, mode="wb", filename="", mtime=0) as zipped,
            tarfile.open(fileobj=zipped, mode="w", format=tarfile.USTAR_FORMAT) as tar,
        ):
            for path, data in sorted(self.files.items()):
                member = tarfile.TarInfo(path)
                member.size, member.mode = len(data), 0o644
                tar.addfile(member, io.BytesIO(data))
        return stream.getvalue()


def build_bundle(root: Path, modules: Iterable[str], settings: Mapping[str, Any] | None) -> Bundle:
    """The archive of a job: modules of a checkout, what they import of it, and the settings that the job reads.

    `settings` are None for a job that reads none. A package's own file goes along with each of its modules. Raises
    PipelineError for a file larger than 5 MB.
    """
    files = {}
    for path in imported_files(root, modules):
        if path.stat().st_size > LARGEST_FILE:
            raise PipelineError(
                f"{path.relative_to(root)} has {path.stat().st_size / 1e6:.1f} MB, and the jobs' code may hold files "
                f"of at most {LARGEST_FILE / 1e6:.0f} MB: move it out of the code, and give it to the job as data."
            )
        files[path.relative_to(root).as_posix()] = path.read_bytes()
    if settings is not None:
        files[SETTINGS] = json.dumps(settings, indent=1).encode()
    return Bundle(files)


def imported_files(root: Path, modules: Iterable[str]) -> list[Path]:
    """The files of modules and of all that they import of the same checkout, at their top or inside a function."""
    found: dict[str, Path] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        path = _file_of(root, name)
        if path is None or name in found:
            continue
        found[name] = path
        waiting += [name.rpartition(".")[0], *_imports(path.read_text(encoding="utf-8"))]
    return sorted(found.values())


def _file_of(root: Path, module: str) -> Path | None:
    """The file of a module of the jobs' packages; None for any other, such as a library."""
    if module.partition(".")[0] not in PACKAGES:
        return None
    place = root / module.replace(".", "/")
    candidates = (place.with_suffix(".py"), place / "__init__.py")
    return next((path for path in candidates if path.is_file()), None)


@cache
def _imports(source: str) -> tuple[str, ...]:
    """What a module imports when it runs, so nothing that is there for the types alone."""
    found: list[str] = []
    waiting: list[ast.AST] = [ast.parse(source)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for block in BLOCKS:
            if block != "body" or not _is_for_types(node):
                waiting += getattr(node, block, ())
    return tuple(found)


def _is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def merged(archives: Iterable[Mapping[str, bytes]]) -> dict[str, bytes]:
    """The files of several archives of one checkout as one; their settings are parts of one document."""
    files: dict[str, bytes] = {}
    settings: dict[str, Any] = {}
    for archive in archives:
        files.update(archive)
        if SETTINGS in archive:
            for section, content in json.loads(archive[SETTINGS]).items():
                known = settings.setdefault(section, {})
                settings[section] = {**known, **content} if isinstance(content, dict) else content
    if settings:
        files[SETTINGS] = json.dumps(settings, indent=1, sort_keys=True).encode()
    return files
