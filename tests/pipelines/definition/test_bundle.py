"""The bundle: what is in it, and that equal content is equal bytes under an equal key."""

import io
import json
import os
import shutil
import tarfile
from pathlib import Path

import pytest

from pipelines.definition.bundle import build_bundle
from pipelines.errors import PipelineError
from pipelines.settings.settings import ROOT, default_config, load_settings

SETTINGS = load_settings(default_config()).for_jobs()


def copied(tmp_path: Path, name: str) -> Path:
    root = tmp_path / name
    for package in ("steps", "evaluation", "pipelines"):
        shutil.copytree(ROOT / package, root / package)
    return root


def test_the_bundle_holds_the_jobs_packages_their_requirements_and_their_settings() -> None:
    files = build_bundle(ROOT, SETTINGS).files
    assert {path.split("/")[0] for path in files} == {"steps", "evaluation", "settings.json"}
    assert "steps/validate_requirements.txt" in files
    assert json.loads(files["settings.json"])["data"]["target"] == "price"


def test_the_columns_stay_in_the_order_of_the_yaml_which_is_that_of_csv_requests_without_a_header() -> None:
    columns = json.loads(build_bundle(ROOT, SETTINGS).files["settings.json"])["data"]["columns"]
    assert list(columns) == list(load_settings(default_config()).data.columns)


def test_equal_content_is_equal_bytes_whatever_the_place_the_time_and_the_leftovers(tmp_path: Path) -> None:
    first, second = copied(tmp_path, "a"), copied(tmp_path, "b")
    (second / "steps" / "__pycache__").mkdir(exist_ok=True)
    (second / "steps" / "__pycache__" / "x.cpython-311.py").write_text("leftover")
    (second / "steps" / "notes.md").write_text("not code")
    os.utime(second / "steps" / "train.py", (0, 0))
    one, other = build_bundle(first, SETTINGS), build_bundle(second, SETTINGS)
    assert one.digest == other.digest
    assert one.archive() == other.archive()


def test_another_byte_of_code_or_another_setting_is_another_key(tmp_path: Path) -> None:
    root = copied(tmp_path, "a")
    before = build_bundle(root, SETTINGS).digest
    assert build_bundle(root, {**SETTINGS, "split": {"by": "time"}}).digest != before
    with (root / "steps" / "train.py").open("a") as code:
        code.write("\n# a comment\n")
    assert build_bundle(root, SETTINGS).digest != before


def test_the_archive_unpacks_to_its_files() -> None:
    bundle = build_bundle(ROOT, SETTINGS)
    with tarfile.open(fileobj=io.BytesIO(bundle.archive())) as archive:
        members = archive.getmembers()
        assert [member.name for member in members] == sorted(bundle.files)
        assert {(member.uid, member.mtime, member.mode) for member in members} == {(0, 0, 0o644)}
        train = archive.extractfile("steps/train.py")
        assert train is not None
        assert train.read() == bundle.files["steps/train.py"]


def test_a_file_of_more_than_5_mb_is_refused_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "steps").mkdir()
    (tmp_path / "steps" / "weights.txt").write_bytes(b"x" * 5_000_001)
    with pytest.raises(PipelineError, match=r"steps/weights.txt has 5.0 MB.* of at most 5 MB: .*as data"):
        build_bundle(tmp_path, {})
    (tmp_path / "steps" / "weights.txt").write_bytes(b"x" * 5_000_000)
    assert "steps/weights.txt" in build_bundle(tmp_path, {}).files
