"""Files are uploaded by their relative names, links out of the folder are not."""

import os
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.processes.outcome import ClientFault
from local_sagemaker.processes.outputs import upload_file, upload_folder


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


@pytest.mark.parametrize("target", ["/etc/passwd", "/etc", "../secret"])
def test_a_link_out_of_the_folder_is_refused_by_name(store: Any, tmp_path: Path, target: str) -> None:
    (tmp_path / "secret").write_text("s")
    (tmp_path / "f").mkdir()
    (tmp_path / "f" / "link").symlink_to(target)
    with pytest.raises(ClientFault, match="The output link is a link to elsewhere"):
        upload_folder(store, tmp_path / "f", "s3://out/x")


def test_a_missing_bucket_is_named(store: Any, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    with pytest.raises(ClientFault, match="The output s3://nowhere/a cannot be uploaded"):
        upload_file(store, tmp_path / "a", "s3://nowhere/a")


def test_a_file_whose_name_is_not_utf_8_is_refused_by_name(store: Any, tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"bad\xff")).write_bytes(b"x")
    with pytest.raises(ClientFault, match=r"job/bad\\udcff has a name that is not UTF-8"):
        upload_folder(store, tmp_path, "s3://bucket/job")
