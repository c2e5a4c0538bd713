"""An archive: what is in it, and that equal content is equal bytes under an equal key."""

import io
import json
import os
import shutil
import tarfile
from pathlib import Path

import pytest

from pipelines.definition.bundle import Bundle, build_bundle, merged
from pipelines.errors import PipelineError
from pipelines.settings.settings import ROOT

SETTINGS = {"data": {"target": "price"}}


def copied(tmp_path: Path, name: str) -> Path:
    root = tmp_path / name
    for package in ("steps", "evaluation", "monitoring"):
        shutil.copytree(ROOT / package, root / package)
    return root


def built(root: Path) -> Bundle:
    return build_bundle(root, ["steps.train"], SETTINGS)


def test_it_holds_what_a_module_imports_at_its_top_and_in_its_functions_and_nothing_for_the_types(
    tmp_path: Path,
) -> None:
    files = {
        "__init__": "",
        "job": "from steps import top\nfrom typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from steps import typed\nelse:\n    import steps.otherwise\n"
        "def run():\n    from steps.inner import thing\n",
        "top": "import numpy",
        "inner": "from steps.top import x",
        **dict.fromkeys(("typed", "otherwise", "unused"), ""),
    }
    (tmp_path / "steps").mkdir()
    for name, text in files.items():
        (tmp_path / "steps" / f"{name}.py").write_text(text)
    names = {"__init__", "job", "top", "inner", "otherwise"}
    assert set(build_bundle(tmp_path, ["steps.job"], None).files) == {f"steps/{name}.py" for name in names}
    assert json.loads(build_bundle(tmp_path, ["steps.job"], SETTINGS).files["settings.json"]) == SETTINGS


def test_equal_content_is_equal_bytes_whatever_the_place_the_time_and_the_leftovers(tmp_path: Path) -> None:
    first, second = copied(tmp_path, "a"), copied(tmp_path, "b")
    (second / "steps" / "notes.md").write_text("not code")
    (second / "steps" / "unused.py").write_text("nobody imports it")
    os.utime(second / "steps" / "train.py", (0, 0))
    one, other = built(first), built(second)
    assert one.digest == other.digest
    assert one.archive() == other.archive()


def test_another_byte_of_code_or_another_setting_is_another_key(tmp_path: Path) -> None:
    root = copied(tmp_path, "a")
    before = built(root).digest
    assert build_bundle(root, ["steps.train"], {"data": {"target": "rent"}}).digest != before
    with (root / "steps" / "train.py").open("a") as code:
        code.write("\n# a comment\n")
    assert built(root).digest != before


def test_the_archive_unpacks_to_its_files() -> None:
    bundle = built(ROOT)
    with tarfile.open(fileobj=io.BytesIO(bundle.archive())) as archive:
        members = archive.getmembers()
        assert [member.name for member in members] == sorted(bundle.files)
        assert {(member.uid, member.mtime, member.mode) for member in members} == {(0, 0, 0o644)}
        train = archive.extractfile("steps/train.py")
        assert train is not None
        assert train.read() == bundle.files["steps/train.py"]


def test_several_archives_are_one_tree_and_their_settings_one_document() -> None:
    first = {"a.py": b"a", "settings.json": b'{"data": {"x": 1}, "split": {"by": "time"}}'}
    second = {"b.py": b"b", "settings.json": b'{"data": {"x": 1, "y": 2}}'}
    files = merged([first, second])
    assert json.loads(files.pop("settings.json")) == {"data": {"x": 1, "y": 2}, "split": {"by": "time"}}
    assert files == {"a.py": b"a", "b.py": b"b"}


def test_a_file_of_more_than_5_mb_is_refused_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "steps").mkdir()
    weights = tmp_path / "steps" / "weights.py"
    weights.write_bytes(b"#" * 5_000_001)
    with pytest.raises(PipelineError, match=r"steps/weights.py has 5.0 MB.* of at most 5 MB: .*as data"):
        build_bundle(tmp_path, ["steps.weights"], {})
    weights.write_bytes(b"#" * 5_000_000)
    assert "steps/weights.py" in build_bundle(tmp_path, ["steps.weights"], {}).files
