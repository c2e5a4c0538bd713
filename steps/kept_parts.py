"""What a job has judged of single files, kept by their content, so that the next job works on new files only.

A file's result is kept under a name that begins with the hash of all that it follows from: the content of the file, the
settings of its columns and rules, this code and its libraries. The name ends in a hash of the result itself.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

from steps.artifacts import write_bytes
from steps.data_settings import PreparationSettings
from steps.identity import identity
from steps.judged import Judged
from steps.validation_settings import Expectation

LIBRARIES = ("great-expectations", "pandas", "numpy", "pyarrow")
DIGITS = 32  # hexadecimal ones of each of the two hashes in a name
FACTS = b"judged"  # the key of the Parquet file's own metadata that holds what is not the table
Types = list[list[str]]  # name and type of each column, as they were read


@dataclass(frozen=True)
class KeptFolders:
    """read: what earlier jobs have kept. written: where a job keeps what it has judged itself."""

    read: Path
    written: Path


class KeptParts:
    """The results of single files; `rules` are the expectations by which their rows are judged, see `Judged`."""

    def __init__(self, folders: KeptFolders, settings: PreparationSettings, rules: Sequence[Expectation]) -> None:
        self._folders = folders
        self._key = _key_of(settings, rules)

    def find(self, name: str, digest: str) -> tuple[Types, Judged] | None:
        """The types and the result of a file of that content; None where none is kept, or none that is whole."""
        for path in sorted(self._folders.read.glob(f"{self._start(digest)}.*.parquet")):
            try:
                return _unpacked(path, name)
            except (OSError, ValueError, KeyError, TypeError) as error:  # pyarrow's faults are ValueErrors
                print(f"What is kept of {name} is ignored, and it is judged again: {error}", flush=True)
        return None

    def keep(self, digest: str, types: Types, judged: Judged) -> None:
        """Keep the result of one file."""
        content = _packed(types, judged)
        name = f"{self._start(digest)}.{hashlib.sha256(content).hexdigest()[:DIGITS]}.parquet"
        write_bytes(self._folders.written / name, content)

    def _start(self, digest: str) -> str:
        return hashlib.sha256(f"{self._key} {digest}".encode()).hexdigest()[:DIGITS]


def _key_of(settings: PreparationSettings, rules: Sequence[Expectation]) -> str:
    known = {
        "code": identity(Path(__file__).parent),
        "libraries": [version(library) for library in LIBRARIES],
        "format": asdict(settings.data.format),
        "columns": {name: asdict(column) for name, column in settings.data.columns.items()},
        "derived": settings.validation.derived,
        "rules": [asdict(rule) for rule in rules],
    }
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()


def _packed(types: Types, judged: Judged) -> bytes:
    import pyarrow
    import pyarrow.parquet

    facts = {
        "types": types,
        "unexpected": [rows.tolist() for rows in judged.unexpected],
        "broken": judged.broken,
        "unreadable": judged.unreadable,
    }
    table = pyarrow.Table.from_pandas(judged.table, preserve_index=False)
    table = table.replace_schema_metadata({**(table.schema.metadata or {}), FACTS: json.dumps(facts)})
    stream = io.BytesIO()
    pyarrow.parquet.write_table(table, stream)
    return stream.getvalue()


def _unpacked(path: Path, name: str) -> tuple[Types, Judged]:
    """Raises ValueError for a file that is not what it was."""
    import pyarrow.parquet

    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest()[:DIGITS] != path.name.split(".")[1]:
        raise ValueError(f"{path.name} is damaged")
    table = pyarrow.parquet.read_table(io.BytesIO(content))
    facts = json.loads(table.schema.metadata[FACTS])
    judged = Judged(
        files={name: len(table)},
        table=table.to_pandas(),
        unexpected=[np.array(rows, dtype=int) for rows in facts["unexpected"]],
        broken=_by_row(facts["broken"]),
        unreadable={column: _by_row(cells) for column, cells in facts["unreadable"].items()},
    )
    return facts["types"], judged


def _by_row(cells: dict[str, str]) -> dict[int, str]:
    """JSON's names are texts."""
    return {int(row): text for row, text in cells.items()}
