"""The lessons as they are written: one Markdown file each, with a command, a change and a check."""

import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).with_name("text")
FENCE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Lesson:
    """One page. `key` is what it is called by, such as 3 or leak; `sections` are its texts by their headings."""

    key: str
    title: str
    text: str
    sections: dict[str, str]

    def commands(self, section: str) -> list[str]:
        """The command lines that a section shows, without the prompt's folder: a line each."""
        return [line for block in FENCE.findall(self.sections.get(section, "")) for line in block.splitlines() if line]


def read_lessons(folder: Path = FOLDER) -> dict[str, Lesson]:
    """The lessons by their keys, in the order of the course."""
    found = (_lesson(path) for path in sorted(folder.glob("*.md")))
    return {lesson.key: lesson for lesson in found}


def _lesson(path: Path) -> Lesson:
    text = path.read_text(encoding="utf-8")
    head, *parts = re.split(r"^## ", text, flags=re.MULTILINE)
    sections = {part.partition("\n")[0].strip(): part.partition("\n")[2].strip() for part in parts}
    number, _, name = path.stem.partition("-")
    key = number.lstrip("0") if number.isdecimal() else name
    return Lesson(key, head.partition("\n")[0].removeprefix("# ").strip(), text, sections)
