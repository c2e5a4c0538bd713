"""A folder of Markdown as pages."""

import re
from pathlib import Path

import pytest

from studio.errors import StudioError
from studio.pages.lessons import lesson_page, list_page


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "1-a.md").write_text("# First\n\n```console\nls\n```\n\n| a |\n| - |\n| b |\n\n<script>1</script>\n")
    (tmp_path / "2-b.md").write_text("# Second & last\n")
    (tmp_path / "notes.txt").write_text("x")
    return tmp_path


def test_the_lessons_stand_in_the_order_of_their_names(folder: Path) -> None:
    assert list_page(folder)["lessons"] == [("1-a", "First"), ("2-b", "Second & last")]


def test_a_lesson_is_rendered_and_brings_no_markup_of_its_own(folder: Path) -> None:
    page = lesson_page(folder, "1-a")
    assert "<h1>First</h1>" in page["html"]
    assert "<td>b</td>" in page["html"]
    assert '<pre tabindex="0" data-copy><code class="language-console">ls' in page["html"]
    assert "<script" not in page["html"]
    assert page["around"] == [("2-b", "Second & last")]


@pytest.mark.parametrize("name", ["3-c", "../1-a", "notes", ""])
def test_a_page_is_one_of_the_folders_files(folder: Path, name: str) -> None:
    with pytest.raises(StudioError, match="There is no lesson"):
        lesson_page(folder, name)


def test_without_a_folder_there_are_no_lessons() -> None:
    with pytest.raises(StudioError, match="--lessons FOLDER"):
        list_page(None)


def test_the_index_is_the_folders_own_and_leads_to_the_pages_and_nowhere_else(folder: Path) -> None:
    (folder / "text").mkdir()
    (folder / "text" / "3-c.md").write_text(
        "# Third\n\n[back](../1-a.md#top) [docs](../../docs/x.md) [out](https://a.b/)\n"
    )
    (folder / "README.md").write_text("# All\n\n| a |\n| - |\n| [third](text/3-c.md) |\n\n[gone](4-d.md)\n")
    page = list_page(folder)
    assert [name for name, _ in page["lessons"]] == ["3-c", "1-a", "2-b"]
    assert '<a href="/lessons/3-c">third</a>' in page["html"]
    assert "<span>gone</span>" in page["html"]
    third = lesson_page(folder, "3-c")["html"]
    assert '<a href="/lessons/1-a">back</a> <span>docs</span> <a href="https://a.b/">out</a>' in third


def test_without_an_index_the_pages_are_listed(folder: Path) -> None:
    assert list_page(folder)["html"] is None


def test_every_link_of_the_lessons_leads_to_a_page_or_is_text() -> None:
    lessons = Path(__file__).parents[3] / "lessons"
    pages = {f"/lessons/{name}" for name, _ in list_page(lessons)["lessons"]}
    assert {"/lessons/on-aws", "/lessons/where-things-are-on-aws"} <= pages
    index = str(list_page(lessons)["html"])
    assert set(re.findall('href="([^"]+)"', index)) == pages
    for page in pages:
        html = lesson_page(lessons, page.rpartition("/")[2])["html"]
        assert set(re.findall('href="(/[^"]*)"', html)) <= pages
