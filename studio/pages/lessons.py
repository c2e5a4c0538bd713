"""Lessons beside what they make: the Markdown files of a folder, as pages."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt

from studio.errors import StudioError

INDEX = "README.md"  # of the folder: the page that names the others
ELSEWHERE = re.compile(r"^(https?:|#)")


def list_page(folder: Path | None) -> Mapping[str, Any]:
    """The folder's index, where it has one, and every lesson by its first line."""
    files = _files(folder)
    index = folder / INDEX if folder is not None else None
    html = _html(index, files) if index is not None and index.is_file() else None
    return {"lessons": [(name, _title(path)) for name, path in files.items()], "html": html}


def lesson_page(folder: Path | None, name: str) -> Mapping[str, Any]:
    """One lesson, as HTML in which nothing of the file is markup of its own; with the one before and the next."""
    files = _files(folder)
    if name not in files:
        raise StudioError(f"There is no lesson {name}.")
    names = list(files)
    place = names.index(name)
    beside = [*names[max(place - 1, 0) : place], *names[place + 1 : place + 2]]
    around = [(each, _title(files[each])) for each in beside]
    return {"title": _title(files[name]), "html": _html(files[name], files), "around": around}


def _files(folder: Path | None) -> dict[str, Path]:
    """The pages by their names: those of the folders in it, then its own."""
    if folder is None:
        raise StudioError("This studio was started without --lessons FOLDER.")
    found = [*sorted(folder.glob("*/*.md")), *sorted(folder.glob("*.md"))]
    return {path.stem: path for path in found if path.name != INDEX}


def _title(path: Path) -> str:
    return path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")


def _html(path: Path, files: Mapping[str, Path]) -> str:
    """A file as HTML, with links to other pages, and code that can be reached with the keyboard, and copied."""
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = markdown.parse(path.read_text(encoding="utf-8"))
    pages = {file.resolve(): f"/lessons/{name}" for name, file in files.items()}
    for link in (child for token in tokens for child in token.children or () if child.type.startswith("link_")):
        if link.type == "link_open":
            target = str(link.attrs.get("href", ""))
            address = (
                target if ELSEWHERE.match(target) else pages.get((path.parent / target.partition("#")[0]).resolve())
            )
            tag, link.attrs = ("a", {"href": address}) if address else ("span", {})
        link.tag = tag  # a link ends before the next begins; what is no page here keeps its text alone
    html: str = markdown.renderer.render(tokens, markdown.options, {})
    html = html.replace("<table>", '<div class="scroll" tabindex="0" role="group" aria-label="Table"><table>')
    return html.replace("</table>", "</table></div>").replace("<pre>", '<pre tabindex="0" data-copy>')
