"""What is shown of an object, by its kind, and how little of it is read."""

import io
from typing import Any

import pandas as pd
import pytest

from studio.errors import StudioError
from studio.previews import preview as module
from studio.previews.objects import split_uri
from studio.previews.preview import preview, raw
from tests.studio.conftest import Answering, FakeAccount
from tests.studio.world import packed


def account(content: bytes) -> tuple[Any, Answering]:
    def get_object(Bucket: str, Key: str, Range: str = "bytes=0-") -> dict[str, Any]:
        first, _, last = Range.removeprefix("bytes=").partition("-")
        part = content[int(first) : int(last) + 1 if last else None]
        return {"ContentLength": len(part), "Body": io.BytesIO(part)}

    s3 = Answering(head_object={"ContentLength": len(content)}, get_object=get_object)
    return FakeAccount(s3=s3), s3


def test_json_is_a_document_and_what_is_none_is_text() -> None:
    assert preview(account(b'{"a": 1}')[0], "s3://b/a.json").document == {"a": 1}
    wrong = preview(account(b"{")[0], "s3://b/a.json")
    assert (wrong.kind, wrong.text, wrong.note) == ("text", "{", "This is not JSON.")


def test_csv_is_its_first_rows() -> None:
    table = preview(account(b"a,b\n" + b'1,"x,y"\n' * 100)[0], "s3://b/a.csv").table
    assert table is not None
    assert (table.columns, len(table.rows), table.rows[0]) == (["a", "b"], 50, ["1", "x,y"])


def test_a_large_text_is_not_read_whole() -> None:
    shown, s3 = account(b"x" * 1_000_000)
    found = preview(shown, "s3://b/a.txt")
    assert found.text is not None
    assert len(found.text) == 256 << 10
    assert found.note == "The first 262,144 of 1,000,000 bytes."
    assert [request["Range"] for name, request in s3.asked if name == "get_object"] == ["bytes=0-262143"]


@pytest.mark.parametrize("whole", [True, False])
def test_parquet_is_its_head_read_at_once_or_in_ranges(whole: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_WHOLE", 1 << 20 if whole else 0)
    stream = io.BytesIO()
    pd.DataFrame({"n": range(200), "t": ["x"] * 199 + [None]}).to_parquet(stream, index=False)
    table = preview(account(stream.getvalue())[0], "s3://b/a.parquet").table
    assert table is not None
    assert (table.columns, len(table.rows), table.rows[3]) == (["n", "t"], 50, ["3", "x"])
    assert table.note == "The first 50 of 200 rows, 2 columns."


def test_an_archive_is_its_files_and_a_damaged_one_is_said() -> None:
    table = preview(account(packed({"code/serve.py": "xy"}))[0], "s3://b/model.tar.gz").table
    assert table is not None
    assert table.rows == [["code/serve.py", "2"]]
    damaged = preview(account(b"nothing")[0], "s3://b/model.tar.gz")
    assert damaged.note is not None
    assert "cannot be read" in damaged.note


def test_an_empty_object_is_shown() -> None:
    assert preview(account(b"")[0], "s3://b/x").text == ""


@pytest.mark.parametrize(
    ("name", "media"),
    [
        ("r.html", "text/html; charset=utf-8"),
        ("i.PNG", "image/png"),
        ("s.js", "text/plain; charset=utf-8"),
        ("x", "text/plain; charset=utf-8"),
    ],
)
def test_only_pages_and_images_have_their_own_media_type(name: str, media: str) -> None:
    assert raw(account(b"<b>")[0], f"s3://b/{name}") == (b"<b>", media)


@pytest.mark.parametrize("uri", ["/etc/passwd", "s3://", "s3:///key", "http://b/k"])
def test_what_is_no_location_is_refused(uri: str) -> None:
    with pytest.raises(StudioError, match="not a location"):
        split_uri(uri)


def test_a_deep_document_is_text() -> None:
    text = "[" * 100_000
    assert preview(account(text.encode())[0], "s3://b/a.json").kind == "text"
