"""The files of a data set: one, or all below a folder. Imports the standard library only."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from pathlib import Path
from urllib.parse import unquote

from steps.failure import JobError

BLOCK = 1 << 20
RUN, SMALL = 16 << 20, 4 << 20  # bytes
# What other programs leave beside their parts, and no data: checksums of Hadoop, and its marks of folders.
LEFTOVERS = (".crc", "_$folder$")
NULL_PARTITION = "__HIVE_DEFAULT_PARTITION__"  # Hive's and Spark's word for a missing value


@dataclass(frozen=True)
class Part:
    """One file. `name` is its path below the data set, and `partition` what its folders say (year=2015)."""

    name: str
    path: Path
    partition: Mapping[str, str] = field(default_factory=dict)


def parts_of(source: Path) -> list[Part]:
    """The files of a data set by their names; JobError where there is none.

    Names that begin with a dot or an underscore, such as _SUCCESS, or end in one of LEFTOVERS are left out, and so is
    what lies in such folders.
    """
    if source.is_file():
        return [Part(source.name, source)]
    if not source.is_dir():
        raise JobError(f"There is no data: {source} does not exist.")
    found = sorted(path for path in source.rglob("*") if path.is_file())
    parts = [
        Part(path.relative_to(source).as_posix(), path, _partition(path.relative_to(source).parts[:-1]))
        for path in found
        if is_data(path.relative_to(source).as_posix())
    ]
    if not parts:
        raise JobError(f"There is no data file in {source}: give CSV or Parquet files.")
    return parts


def runs(parts: Sequence[Part], processes: int) -> list[slice]:
    """The parts in runs of about the same number of bytes, the same number of runs for each process.

    A run has RUN bytes or little more; few parts or small ones are one run.
    """
    sizes = [part.path.stat().st_size for part in parts]
    total = sum(sizes)
    if total <= SMALL:
        return [slice(0, len(parts))]
    count = processes * max(2, -(-total // (processes * RUN)))
    run_of = [size * count // total for size in accumulate(sizes)]  # how many runs are full after each part
    ends = [place for place in range(1, len(parts)) if run_of[place - 1] > (run_of[place - 2] if place > 1 else 0)]
    return [slice(first, end) for first, end in pairwise([0, *ends, len(parts)])]


def is_data(name: str) -> bool:
    """Whether a file of this path below a folder is data, see `parts_of`."""
    return not any(each.startswith((".", "_")) for each in name.split("/")) and not name.endswith(LEFTOVERS)


def digest_of(parts: Sequence[Part]) -> str:
    """The SHA-256 of a file, or of the sorted SHA-256s of several: neither their names nor their order matter.

    What the folders of a part say belongs to its content.
    """
    return combined([part_digest(part) for part in parts])


def combined(digests: Sequence[str]) -> str:
    """The hash of the data set whose parts have these."""
    return digests[0] if len(digests) == 1 else hashlib.sha256("\n".join(sorted(digests)).encode()).hexdigest()


def part_digest(part: Part) -> str:
    """The SHA-256 of one part: of its file, and of what its folders say."""
    content = hashlib.sha256()
    with part.path.open("rb") as stream:
        while block := stream.read(BLOCK):
            content.update(block)
    if not part.partition:
        return content.hexdigest()
    told = [content.hexdigest(), *(f"{name}={value}" for name, value in sorted(part.partition.items()))]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()


def _partition(folders: Sequence[str]) -> dict[str, str]:
    pairs = [folder.partition("=") for folder in folders if "=" in folder]
    return {unquote(name): "" if value == NULL_PARTITION else unquote(value) for name, _, value in pairs}
