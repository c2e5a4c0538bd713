"""The docs name what there is."""

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from command_line import deployment_arguments, pipeline
from local_sagemaker import __main__ as local_sagemaker

ROOT = Path(__file__).parents[1]
LONGEST_CELL = 400  # characters; what is longer becomes a list
SOURCES = (
    "command_line",
    "local_sagemaker",
    "pipelines",
    "profiling",
    "deployment",
    "steps",
    "evaluation",
    "monitoring",
    "studio",
)
FILES = ("run_pipeline.py", "deploy_model.py", "buildspec.yml", "buildspec-deploy.yml", "Makefile")
VARIABLE = re.compile(r"""["'$]\{?((?:SAGEMAKER|AWS|SM)_[A-Z_]*[A-Z]|SOAK|FAULT_SEED|START_OPTIONS|PYTEST_ARGS)\b""")
OF_THE_PROTOCOL = {"SAGEMAKER_VALIDATE_ROLE", "SAGEMAKER_RESOURCE_LIMIT"}  # kinds of exceptions in retry policies


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def test_every_environment_variable_is_on_its_page() -> None:
    paths = [path for folder in SOURCES for path in (ROOT / folder).rglob("*.py")] + [ROOT / name for name in FILES]
    used = {name for path in paths for name in VARIABLE.findall(text_of(path))}
    assert {"SAGEMAKER_LOCAL_PORT", "AWS_REGION", "START_OPTIONS", "SM_MODEL_DIR"} <= used
    page = text_of(ROOT / "docs/environment.md")
    documented = set(re.findall(r"[A-Z_]+", page))
    script_mode = {name for name in used if name.startswith("SM_")}  # the images' own, documented as a family
    assert used - documented - script_mode - OF_THE_PROTOCOL == set()


PAGES = [ROOT / "README.md", ROOT / "local_sagemaker/README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_that_a_page_links_to_is_there(page: Path) -> None:
    for target in re.findall(r"""(?:\]\(|src=")(?!https?:)([^)#"]+)""", text_of(page)):
        assert (page.parent / target).exists(), target


def words_of(parser: argparse.ArgumentParser) -> Iterator[tuple[str, ...]]:
    """Each command, and each option by all of its names."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, inner in action.choices.items():
                yield (name,)
                yield from words_of(inner)
        elif action.option_strings and action.dest != "help":
            yield tuple(action.option_strings)


@pytest.mark.parametrize(
    "parser",
    [pipeline.build_parser(), deployment_arguments.build_parser(), local_sagemaker._parser()],
    ids=["run_pipeline.py", "deploy_model.py", "local-sagemaker"],
)
def test_every_command_and_option_is_in_the_docs(parser: argparse.ArgumentParser) -> None:
    words = set(words_of(parser))
    assert len(words) > 15
    text = "\n".join(text_of(page) for page in [*PAGES, ROOT / "CONTRIBUTING.md", *(ROOT / "lessons").rglob("*.md")])
    assert [names for names in words if not any(re.search(rf"(?<![\w-]){name}(?![\w-])", text) for name in names)] == []


def test_every_folder_is_in_the_architecture() -> None:
    page = text_of(ROOT / "docs/architecture.md")
    folders = {path.parent.name for path in (ROOT / "local_sagemaker").glob("*/__init__.py")}
    folders |= {f"pipelines/{path.parent.name}" for path in (ROOT / "pipelines").glob("*/__init__.py")}
    assert {folder for folder in folders if f"`{folder}/`" not in page} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_cells_of_tables_are_short(page: Path) -> None:
    rows = [line for line in text_of(page).splitlines() if line.startswith("|")]
    assert [cell for row in rows for cell in row.split("|") if len(cell) >= LONGEST_CELL] == []
