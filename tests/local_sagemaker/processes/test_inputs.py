"""Objects arrive as files: manifests, compression, shards, and keys that would escape."""

import gzip
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.processes.inputs import Share, Source, download
from local_sagemaker.processes.outcome import ClientFault, JobStopped


def fetch(store: Any, folder: Path, source: Source, share: Share | None = None) -> dict[str, str]:
    download(store, source, folder, share or Share(), threading.Event())
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_a_manifest_names_the_objects(store: Any, tmp_path: Path) -> None:
    store.put("s3://in/data/a/1.csv", "1")
    store.put("s3://in/data/b/2.csv", "2")
    store.put("s3://in/data/b/3.csv", "3")
    uri = store.put("s3://in/manifest", json.dumps([{"prefix": "s3://in/data/"}, "a/1.csv", "b/3.csv"]))
    assert fetch(store, tmp_path / "f", Source(uri, "ManifestFile")) == {"a/1.csv": "1", "b/3.csv": "3"}


@pytest.mark.parametrize("text", ["", "{}", "[]", '["a"]', '[{"prefix": 1}]', '[{"prefix": "s3://in/"}, 7]'])
def test_a_broken_manifest_is_named(store: Any, tmp_path: Path, text: str) -> None:
    uri = store.put("s3://in/manifest", text)
    with pytest.raises(ClientFault, match="The manifest s3://in/manifest is not"):
        fetch(store, tmp_path / "f", Source(uri, "ManifestFile"))


def test_a_manifest_entry_that_is_missing_is_named(store: Any, tmp_path: Path) -> None:
    uri = store.put("s3://in/manifest", '[{"prefix": "s3://in/"}, "gone.csv"]')
    with pytest.raises(ClientFault, match=r"s3://in/gone\.csv"):
        fetch(store, tmp_path / "f", Source(uri, "ManifestFile"))


def test_a_key_that_would_escape_is_refused_by_name(store: Any, tmp_path: Path) -> None:
    class Hostile:
        def list(self, bucket: str, prefix: str) -> list[str]:
            return ["data/../../../etc/cron.d/job"]

        def download(self, bucket: str, key: str, path: Path) -> None:
            raise AssertionError("nothing may be written")

        upload = download

    with pytest.raises(ClientFault, match=r"The key of s3://in/data/\.\./.* would leave the input folder"):
        fetch(Hostile(), tmp_path / "f", Source("s3://in/data"))


def test_an_object_that_another_uses_as_a_folder_is_named(tmp_path: Path) -> None:
    class Both:
        def list(self, bucket: str, prefix: str) -> list[str]:
            return ["d/a", "d/a/b"]

        def download(self, bucket: str, key: str, path: Path) -> None:
            path.write_text(key)

        upload = download

    with pytest.raises(ClientFault, match="s3://in/d/a/b cannot be a file"):
        fetch(Both(), tmp_path / "f", Source("s3://in/d/"))


def test_shards_share_the_objects_between_hosts(store: Any, tmp_path: Path) -> None:
    for number in range(5):
        store.put(f"s3://in/data/{number}", "x")
    parts = [
        set(fetch(store, tmp_path / str(host), Source("s3://in/data", sharded=True), Share(host, 3)))
        for host in range(3)
    ]
    assert set.union(*parts) == {"0", "1", "2", "3", "4"}
    assert sum(map(len, parts)) == 5
    assert set(fetch(store, tmp_path / "all", Source("s3://in/data"), Share(1, 3))) == set.union(*parts)


def test_gzip_is_decompressed_and_what_is_not_gzip_is_named(store: Any, tmp_path: Path) -> None:
    store.put("s3://in/data/a.csv.gz", gzip.compress(b"rows"))
    assert fetch(store, tmp_path / "f", Source("s3://in/data/", gzipped=True)) == {"a.csv": "rows"}
    store.put("s3://in/data/b.csv.gz", "rows")
    with pytest.raises(ClientFault, match=r"s3://in/data/b\.csv\.gz is not compressed with gzip"):
        fetch(store, tmp_path / "g", Source("s3://in/data/", gzipped=True))


def test_an_optional_source_may_be_empty_and_a_required_one_not(store: Any, tmp_path: Path) -> None:
    assert fetch(store, tmp_path / "f", Source("s3://in/none", required=False)) == {}
    with pytest.raises(ClientFault, match='No S3 objects found under S3 URL "s3://in/none"'):
        fetch(store, tmp_path / "f", Source("s3://in/none"))
    with pytest.raises(ClientFault, match="data type AugmentedManifestFile"):
        fetch(store, tmp_path / "f", Source("s3://in/none", "AugmentedManifestFile"))
    with pytest.raises(ClientFault, match="is not an S3 URI"):
        fetch(store, tmp_path / "f", Source("https://in/none"))


def test_a_stop_ends_the_download(store: Any, tmp_path: Path) -> None:
    store.put("s3://in/data/a", "1")
    stop = threading.Event()
    stop.set()
    with pytest.raises(JobStopped):
        download(store, Source("s3://in/data"), tmp_path / "f", Share(), stop)
    assert not (tmp_path / "f" / "a").exists()


def test_a_prefix_takes_all_keys_that_start_with_it(store: Any, tmp_path: Path) -> None:
    for key in ("train/x.csv", "train_old/y.csv", "train.csv", "test/z.csv"):
        store.put(f"s3://in/data/{key}", key)
    found = fetch(store, tmp_path / "f", Source("s3://in/data/train"))
    assert found == {"x.csv": "train/x.csv", "train_old/y.csv": "train_old/y.csv", "train.csv": "train.csv"}
    assert list(fetch(store, tmp_path / "g", Source("s3://in/data/train/"))) == ["x.csv"]
    assert list(fetch(store, tmp_path / "h", Source("s3://in/data/train.csv"))) == ["train.csv"]


class Keys:
    """A store of these keys; each object holds its key."""

    def __init__(self, *keys: str) -> None:
        self.keys = keys

    def list(self, bucket: str, prefix: str) -> list[str]:
        return [key for key in self.keys if key.startswith(prefix)]

    def download(self, bucket: str, key: str, path: Path) -> None:
        path.write_text(key)

    upload = download


def test_empty_parts_of_a_key_are_no_folders(tmp_path: Path) -> None:
    store = Keys("data//a.csv", "data/b//c.csv")
    assert set(fetch(store, tmp_path / "f", Source("s3://in/data/"))) == {"a.csv", "b/c.csv"}


def test_a_key_that_no_file_can_have_is_named(tmp_path: Path) -> None:
    with pytest.raises(ClientFault, match="too long for a file name: rename the object"):
        fetch(Keys(f"data/{'x' * 300}"), tmp_path / "f", Source("s3://in/data/"))
