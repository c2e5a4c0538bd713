"""The lessons are whole: each has its command, its change and its check."""

import re
import shlex
from pathlib import Path

import pytest

from lessons.checks import CHECKS
from lessons.course import Lesson, read_lessons

ROOT = Path(__file__).parents[2]
LESSONS = read_lessons()


@pytest.mark.parametrize("lesson", LESSONS.values(), ids=list(LESSONS))
def test_a_lesson_says_what_to_run_to_look_at_to_change_and_how_it_is_graded(lesson: Lesson) -> None:
    assert list(lesson.sections) == ["What", "Run", "Look at", "Change", "Check"]
    assert lesson.commands("Run")
    assert lesson.commands("Change")
    assert lesson.commands("Check") == [f"make lesson-{lesson.key}"]


def test_each_lesson_has_a_check_and_stands_in_the_index() -> None:
    assert list(LESSONS) == list(CHECKS)
    index = (ROOT / "lessons" / "README.md").read_text()
    assert set(re.findall(r"\(text/([^)]+)\)", index)) == {path.name for path in (ROOT / "lessons/text").glob("*.md")}


@pytest.mark.parametrize("lesson", LESSONS.values(), ids=list(LESSONS))
def test_the_commands_of_a_lesson_are_those_of_the_project(lesson: Lesson) -> None:
    for line in (line for section in lesson.sections for line in lesson.commands(section)):
        words = shlex.split(line)
        if words[0] == ".venv/bin/python":
            assert words[1] == "-m" or (ROOT / words[1]).is_file(), line
        else:
            assert words[0] in ("make", "cp", "sed"), line
