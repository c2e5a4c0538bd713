"""The captured requests of an endpoint, by their hours."""

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from deployment import captured
from deployment.captured import captured_files

PREFIX = "houses/capture/staging/houses-staging/AllTraffic"


class Bucket:
    """S3 with some keys."""

    def __init__(self, *keys: str) -> None:
        self.keys = keys

    def get_paginator(self, _: str) -> Any:
        return self

    def paginate(self, Bucket: str, Prefix: str) -> list[dict[str, Any]]:
        return [{"Contents": [{"Key": key} for key in self.keys if key.startswith(Prefix)]}, {}]

    def download_file(self, bucket: str, key: str, path: str) -> None:
        Path(path).write_text(f"{bucket} {key}")


def at(day: int, hour: int) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=timezone.utc)


def test_files_are_those_of_the_hours_and_of_the_variant_alone() -> None:
    files = [f"{PREFIX}/2026/11/{hour}/a.jsonl" for hour in ("26/23", "27/00", "27/23", "28/00")]
    others = [
        f"{PREFIX}/notes.txt",
        f"{PREFIX}-old/2026/11/27/00/a.jsonl",
        f"{PREFIX[:-10]}Shadow/2026/11/27/00/a.jsonl",
    ]
    s3 = Bucket(*files, *others)
    assert list(captured_files(s3, "b", PREFIX, at(27, 0)).keys) == files[1:]
    assert list(captured_files(s3, "b", PREFIX, at(27, 0), at(28, 0)).keys) == files[1:3]


def test_during_a_shift_all_variants_are_read_but_the_shadow_whose_answers_nobody_got() -> None:
    endpoint = PREFIX.removesuffix("/AllTraffic")
    files = [f"{endpoint}/{name}/2026/11/27/00/a.jsonl" for name in ("AllTraffic", "Candidate", "Shadow", "Shadows")]
    assert list(captured_files(Bucket(*files), "b", endpoint, at(27, 0)).keys) == [files[0], files[1], files[3]]
    assert list(captured_files(Bucket(*files), "b", f"{endpoint}/Shadow", at(27, 0)).keys) == [files[2]]


def test_an_hour_that_has_begun_before_the_moment_is_read() -> None:
    key = f"{PREFIX}/2026/11/27/10/59-00-000-a.jsonl"
    moment = datetime(2026, 11, 27, 10, 30, tzinfo=timezone.utc)
    assert list(captured_files(Bucket(key), "b", PREFIX, moment).keys) == [key]


def test_of_many_files_the_newest_are_taken_and_the_others_counted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(captured, "MOST_FILES", 2)
    keys = [f"{PREFIX}/2026/11/{day}/00/a.jsonl" for day in ("29", "27", "28")]
    files = captured_files(Bucket(*keys), "b", PREFIX, at(1, 0))
    assert (list(files.keys), files.left_out) == ([keys[2], keys[0]], 1)
    files.download(Bucket(), tmp_path / "rows")
    assert (tmp_path / "rows" / "000000.jsonl").read_text() == f"b {keys[2]}"
