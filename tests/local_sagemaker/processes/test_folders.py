"""Only what lies below its root is removed."""

from pathlib import Path

import pytest

from local_sagemaker.processes.folders import OutsideItsRoot, remove_folder


def test_a_folder_below_its_root_is_removed_with_all_that_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "root/job/algo-1").mkdir(parents=True)
    remove_folder(tmp_path / "root/job", tmp_path / "root")
    assert list((tmp_path / "root").iterdir()) == []


@pytest.mark.parametrize("name", ["", ".", "..", "../other", "job/..", "job/../../other", "link/other", "/"])
def test_a_path_that_is_not_below_the_root_is_not_removed(tmp_path: Path, name: str) -> None:
    root, other = tmp_path / "root", tmp_path / "other"
    for folder in (root / "job", other):
        folder.mkdir(parents=True)
        (folder / "thesis.docx").write_text("years of work")
    (root / "link").symlink_to(tmp_path)
    with pytest.raises(OutsideItsRoot, match="not removed"):
        remove_folder(root / name, root, ignore_errors=True)
    with pytest.raises(OutsideItsRoot):
        remove_folder(other.absolute(), root)
    assert (root / "job/thesis.docx").exists()
    assert (other / "thesis.docx").exists()


def test_a_folder_that_is_not_there_is_an_error_unless_errors_are_ignored(tmp_path: Path) -> None:
    remove_folder(tmp_path / "job", tmp_path, ignore_errors=True)
    with pytest.raises(FileNotFoundError):
        remove_folder(tmp_path / "job", tmp_path)
