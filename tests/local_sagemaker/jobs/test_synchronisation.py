"""Folders that are kept in S3."""

import os
from pathlib import Path
from typing import Any

from local_sagemaker.jobs.synchronisation import FolderSynchroniser


def test_only_what_has_changed_is_uploaded_again(store: Any, tmp_path: Path) -> None:
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    (folder / "a").write_text("1")
    (folder / "b").write_text("1")
    synchroniser = FolderSynchroniser(store)
    synchroniser.upload(folder, "s3://out/ck/")
    assert store.keys() == ["ck/a", "ck/b"]
    store.put("s3://out/ck/a", "not touched again")
    (folder / "b").write_text("2")
    os.utime(folder / "b", ns=(0, 0))
    synchroniser.upload(folder, "s3://out/ck")
    assert store.get("s3://out/ck/a") == b"not touched again"
    assert store.get("s3://out/ck/b") == b"2"


def test_what_is_deleted_stays_in_s3(store: Any, tmp_path: Path) -> None:
    (tmp_path / "ck").mkdir()
    (tmp_path / "ck" / "a").write_text("1")
    synchroniser = FolderSynchroniser(store)
    synchroniser.upload(tmp_path / "ck", "s3://out/ck")
    (tmp_path / "ck" / "a").unlink()
    synchroniser.upload(tmp_path / "ck", "s3://out/ck")
    assert store.keys() == ["ck/a"]
