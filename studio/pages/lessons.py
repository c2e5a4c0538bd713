"""Lessons beside what they make: the Markdown files of a folder, as pages."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt

from studio.errors import StudioError


def list_page(folder: Path | None) -> Mapping[str, Any]:
    """Every lesson by its first line."""
    return {"lessons": [(name, _title(path)) for name, path in _files(folder).items()]}


def lesson_page(folder: Path | None, name: str) -> Mapping[str, Any]:
    """One lesson, as HTML in which nothing of the file is markup of its own; with the one before and the next."""
    files = _files(folder)
    if name not in files:
        raise StudioError(f"There is no lesson {name}.")
    names = list(files)
    place = names.index(name)
    beside = [*names[max(place - 1, 0) : place], *names[place + 1 : place + 2]]
    around = [(each, _title(files[each])) for each in beside]
    html = MarkdownIt("commonmark", {"html": False}).enable("table").render(files[name].read_text(encoding="utf-8"))
    return {"title": _title(files[name]), "html": _with_addresses(html), "around": around}


def _files(folder: Path | None) -> dict[str, Path]:
    if folder is None:
        raise StudioError("This studio was started without --lessons FOLDER.")
    return {path.stem: path for path in sorted(folder.glob("*.md"))}


def _title(path: Path) -> str:
    return path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")


def _with_addresses(html: str) -> str:
    """Code that can be reached with the keyboard, and copied, as elsewhere."""
    return html.replace("<pre>", '<pre tabindex="0" data-copy>')
