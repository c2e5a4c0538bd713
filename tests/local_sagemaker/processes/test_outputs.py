"""Files are uploaded by their relative names, links out of the folder are not."""

import os
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.processes.outcome import ClientFault
from local_sagemaker.processes.outputs import each_of, upload_file, upload_folder


@pytest.mark.parametrize("uri", ["s3://out/result", "s3://out/result/"])
def test_a_folder_is_uploaded_below_its_uri(store: Any, tmp_path: Path, uri: str) -> None:
    (tmp_path / "f" / "deep").mkdir(parents=True)
    (tmp_path / "f" / "deep" / "a").write_text("a")
    (tmp_path / "f" / "b").write_text("b")
    (tmp_path / "f" / "c").symlink_to("b")
    upload_folder(store, tmp_path / "f", uri)
    assert store.keys() == ["result/b", "result/c", "result/deep/a"]


def test_a_bucket_may_be_the_whole_uri_and_an_empty_folder_is_nothing(store: Any, tmp_path: Path) -> None:
    upload_folder(store, tmp_path / "nothing", "s3://out")
    (tmp_path / "f").mkdir()
    (tmp_path / "f" / "a").write_text("a")
    upload_folder(store, tmp_path / "f", "s3://out")
    assert store.keys() == ["a"]


def test_links_within_the_folder_are_followed(store: Any, tmp_path: Path) -> None:
    folder = tmp_path / "opt" / "ml" / "checkpoints"
    (folder / "checkpoint-10").mkdir(parents=True)
    (folder / "checkpoint-10" / "w.bin").write_text("w")
    (folder / "latest").symlink_to("checkpoint-10")
    (folder / "best").symlink_to("/opt/ml/checkpoints/checkpoint-10")  # as the job sees it
    (folder / "first.bin").symlink_to("latest/w.bin")
    (folder / "checkpoint-10" / "up").symlink_to("..")  # around itself
    (folder / "gone").symlink_to("nothing")
    upload_folder(store, folder, "s3://out/c")
    assert store.keys() == ["c/best/w.bin", "c/checkpoint-10/w.bin", "c/first.bin", "c/latest/w.bin"]


@pytest.mark.parametrize("target", ["/etc/passwd", "/etc", "../secret"])
def test_a_link_out_of_the_folder_is_refused_by_name(store: Any, tmp_path: Path, target: str) -> None:
    (tmp_path / "secret").write_text("s")
    (tmp_path / "f").mkdir()
    (tmp_path / "f" / "link").symlink_to(target)
    with pytest.raises(ClientFault, match="The output link is a link to elsewhere"):
        upload_folder(store, tmp_path / "f", "s3://out/x")


def test_the_others_are_uploaded_nevertheless(store: Any, tmp_path: Path) -> None:
    (tmp_path / "f").mkdir()
    (tmp_path / "f" / "a").symlink_to("/etc/passwd")
    (tmp_path / "f" / "b").write_text("b")
    with pytest.raises(ClientFault, match="The other files were uploaded"):
        upload_folder(store, tmp_path / "f", "s3://out/x")
    assert store.keys() == ["x/b"]


def test_a_fault_in_one_upload_leaves_the_others() -> None:
    done = []

    def fail() -> None:
        raise ClientFault("first")

    def fail_again() -> None:
        raise ClientFault("second")

    with pytest.raises(ClientFault, match="first"):
        each_of([fail, fail_again, lambda: done.append(1)])
    assert done == [1]


def test_a_missing_bucket_is_named(store: Any, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    with pytest.raises(ClientFault, match="The output s3://nowhere/a cannot be uploaded"):
        upload_file(store, tmp_path / "a", "s3://nowhere/a")


def test_a_file_whose_name_is_not_utf_8_is_refused_by_name(store: Any, tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"bad\xff")).write_bytes(b"x")
    with pytest.raises(ClientFault, match=r"job/bad\\udcff has a name that is not UTF-8"):
        upload_folder(store, tmp_path, "s3://bucket/job")
