"""What is damaged in a state folder, named; put right where that can be done, and taken out as files."""

import hashlib
import json
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import closing, nullcontext
from dataclasses import dataclass
from pathlib import Path

from local_sagemaker.errors import LocalSageMakerError
from local_sagemaker.state.checks import (
    Unfit,
    files_in,
    files_on_disk,
    named_row,
    unfit_columns,
    unfit_records,
    unfit_rows,
    unfit_snapshots,
    without_bytes,
)
from local_sagemaker.state.damage import LOST, Damage, Piece
from local_sagemaker.state.database import Database
from local_sagemaker.state.formats import FORMAT, format_of
from local_sagemaker.state.lock import DATABASE, locked_folder
from local_sagemaker.state.record_kinds import REQUIRED
from local_sagemaker.state.s3_documents import dumped
from local_sagemaker.state.salvage import salvage, sqlite_fault

BLOCK = 1 << 20
PROGRESS_SECONDS = 2.0


@dataclass
class Orders:
    """What the doctor is to do beside looking."""

    repair: bool = False
    export: Path | None = None
    forget: bool = False


def doctor(state: Path, orders: Orders) -> int:
    """Look at a state folder; 0 where nothing is damaged any more, 1 where something is.

    A running server is not a hindrance to looking and exporting; what changes something needs it stopped.
    LocalSageMakerError where there is no state, or one of another format.
    """
    path = state / DATABASE
    found = format_of(path) if path.exists() else 0
    if found != FORMAT:
        what = f"a state of format {found}: start the server once to migrate it" if found else "no state"
        raise LocalSageMakerError(f"{state} has {what}.")
    with locked_folder(state) if orders.repair or orders.forget else nullcontext():
        return _examine(path, state, orders)


def _examine(path: Path, state: Path, orders: Orders) -> int:
    fault = sqlite_fault(path)
    if fault is not None:
        print(f"state.db: {fault}")
        if not orders.repair:
            print("with --repair, the readable part stays in use, and the old file is kept")
            return 1
        print(f"the readable part is in use; the old file is in {salvage(path)}")
    with closing(Database(path)) as database:
        return _look(database, state, orders)


def _look(database: Database, state: Path, orders: Orders) -> int:
    damage = Damage(database)
    returned = damage.put_all_back() if orders.repair else []  # what does not fit is put aside again
    unfit = list(_unfit(database, state / "objects"))
    for piece in unfit:
        print(f"{piece.name}: {piece.reason}")
        if orders.repair:
            damage.put_aside(piece.source, piece.key, piece.name, piece.reason)
    for name in sorted(set(returned) - {piece.name for piece in unfit}):
        print(f"put back: {name}")
    left = list(damage.pieces())
    for put_aside in left:
        print(f"put aside on {put_aside.found}: {put_aside.name}: {put_aside.reason}")
        if orders.export:
            _export(put_aside, state / "objects", orders.export)
    if orders.forget:
        print(f"forgotten, of what was put aside: {damage.forget()}")
        left = []
    if left or (unfit and not orders.repair):
        _advise(orders, state, unfit=bool(unfit) and not orders.repair, left=bool(left))
        return 1
    if not unfit:
        print("nothing is damaged")
    return 0


def _advise(orders: Orders, state: Path, unfit: bool, left: bool) -> None:
    if unfit:
        print("--repair puts these aside, so that the rest works without them")
    if left and not orders.export:
        print(f"--export FOLDER writes what was put aside as files; --forget deletes it from {state / DATABASE}")
    if left and not orders.repair:
        print("--repair restores what fits again: an object whose file is back, a service's state")


def _unfit(database: Database, objects: Path) -> Iterator[Unfit]:
    yield from unfit_records(database, REQUIRED)
    for table in ("buckets", "objects", "uploads", "parts"):
        yield from unfit_rows(database, table)
        yield from unfit_columns(database, table)
    yield from unfit_snapshots(database)
    seen = set()
    with files_on_disk(database, files_in(objects)):
        for table in ("objects", "parts"):
            for piece in without_bytes(database, table):
                seen.add(tuple(piece.key.values()))
                yield piece
    yield from (piece for piece in _wrong_bytes(database, objects) if tuple(piece.key.values()) not in seen)


def _wrong_bytes(database: Database, objects: Path) -> Iterator[Unfit]:
    """The objects whose bytes are not those of their ETag, which is their MD5 where they were not put in parts."""
    rows = database.select(
        "SELECT bucket, key, number, etag, blob FROM objects WHERE NOT marker AND etag NOT LIKE '%-%' ORDER BY blob"
    )
    said = time.monotonic()
    for position, (bucket, key, number, etag, blob) in enumerate(rows, start=1):
        if time.monotonic() - said > PROGRESS_SECONDS:
            print(f"read {position} of {len(rows)} objects", file=sys.stderr)
            said = time.monotonic()
        try:
            found = _md5(objects / blob)
            reason = "" if found == etag else "its bytes do not match its ETag"
        except FileNotFoundError:
            continue
        except OSError as error:
            reason = f"its file cannot be read ({error.strerror})"
        if reason:
            named = {"bucket": bucket, "key": key, "number": number}
            yield Unfit("objects", named, named_row("objects", (bucket, key)), reason)


def _md5(path: Path) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as stream:
        while block := stream.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _export(piece: Piece, objects: Path, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        text = f"{folder} cannot be written ({error.strerror}): name another folder with --export."
        raise LocalSageMakerError(text) from None
    name = folder / f"{piece.number:06d}"
    document = {
        "name": piece.name,
        "reason": piece.reason,
        "found": piece.found,
        "table": piece.source,
        "row": json.loads(dumped(piece.row)) if piece.source != LOST else None,
    }
    name.with_suffix(".json").write_text(json.dumps(document, indent=2), encoding="utf-8")
    blob = piece.row.get("blob")
    if isinstance(blob, str) and (objects / Path(blob).name).is_file():
        shutil.copyfile(objects / Path(blob).name, name.with_suffix(".bytes"))
