"""Programs of kinds that others publish, unchanged, against local SageMaker; docs/programs.md says how far each runs.

The SDK's version 2 has an environment of its own, built by uv from tests/end_to_end/programs/sdk-v2.txt and kept in the
user's cache folder; version 3 is this environment's. `make sdk-test` runs all programs, CI those of SAMPLE,
`make sdk-test SDKS=NAME,NAME` some, and `make sdk-test SDKS=write` writes the page.
"""

import ast
import hashlib
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import running
from tests.end_to_end.image.environment import cache

pytestmark = [pytest.mark.e2e, pytest.mark.journey]

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(__file__).with_name("programs")
RUNNER = Path(__file__).with_name("run_programs.py")
LOCK = PROGRAMS / "sdk-v2.txt"
PAGE = ROOT / "docs" / "programs.md"
ALL = tuple(sorted(path for path in PROGRAMS.iterdir() if path.suffix in (".py", ".sh")))
SAMPLE = (
    "cli_pipeline",
    "v2_callback_step",
    "v2_local_pipeline_session",
    "v2_sklearn_estimator",
)
CLIENTS = {"v2": "SDK 2.257", "v3": "SDK 3", "boto3": "boto3", "cli": "AWS CLI"}
IMPORTED = {"v2": "sagemaker", "v3": "sagemaker.core", "boto3": "boto3", "cli": ""}
LONGEST_CELL = 160  # characters
BUILD_SECONDS, RUN_SECONDS = 300, 1800
RESULT = re.compile(r"[-!.*]*=> (.*)")  # while the SDK waits it draws a line without an end
HEAD = """# Programs that others write, and how far each runs

The programs are in `tests/end_to_end/programs`: our own small ones of kinds that are common in public samples, each of
which names such a sample. They run unchanged against local SageMaker, with the variables of `local-sagemaker env` and
nothing else. Version 2 of the SageMaker SDK has an environment of its own (`sdk-v2.txt`); version 3 is the project's.
`make sdk-test` runs all of them and compares this page with what they print, `make sdk-test SDKS=write` writes it; CI
runs some.
[corpus.md](corpus.md) has the checker's verdicts on definitions that others wrote.

| program | client | what it does, and where such a one is | result |
| --- | --- | --- | --- |
"""


def client(program: Path) -> str:
    """The first part of its name: v2, v3, boto3 or cli."""
    return program.name.partition("_")[0]


def python_of(kind: str) -> Path:
    """The interpreter of a client; that of the SDK's version 2, and of the AWS CLI, is built where it is not there."""
    if kind in ("v3", "boto3"):
        return Path(sys.executable)
    folder = cache() / f"sdk-v2-{hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]}"
    python, done = folder / "bin" / "python", folder / "built"
    if not done.exists():
        uv = [sys.executable, "-m", "uv"]
        install = [
            "pip",
            "install",
            "--quiet",
            "--require-hashes",
            "--no-deps",
            "--python",
            str(python),
            "-r",
            str(LOCK),
        ]
        try:
            for command in (["venv", "--quiet", "--clear", "--python", sys.executable, str(folder)], install):
                subprocess.run([*uv, *command], check=True, capture_output=True, text=True, timeout=BUILD_SECONDS)
        except subprocess.TimeoutExpired:
            pytest.skip(f"the environment of the SDK's version 2 took more than {BUILD_SECONDS} s")
        except subprocess.CalledProcessError as error:
            pytest.skip(f"the environment of the SDK's version 2 cannot be built: {error.stderr.strip()[-300:]}")
        done.touch()
    return python


def results(programs: tuple[Path, ...], folder: Path) -> dict[str, str]:
    """What each program says of its end, by its name, all on one server."""
    with running(folder / "server") as server:
        command = [sys.executable, "-m", "local_sagemaker", "env"]
        exports = subprocess.run(
            command, cwd=ROOT, env={**os.environ, **server.environment}, check=True, capture_output=True, text=True
        ).stdout
        pairs = (shlex.split(line)[1].partition("=") for line in exports.splitlines())
        variables = {name: value for name, _, value in pairs}
        for kind in dict.fromkeys(map(client, programs)):
            python = python_of(kind)
            environment = {
                **variables,
                "PATH": f"{python.parent}:/usr/bin:/bin",
                "HOME": str(folder),
                "SAGEMAKER_SUPPRESS_V2_WARNING": "1",
            }
            mine = [str(program) for program in programs if client(program) == kind]
            subprocess.run(
                [str(python), str(RUNNER), str(folder), IMPORTED[kind], *mine],
                env=environment,
                check=True,
                timeout=RUN_SECONDS,
            )
    return {program.stem: result(program.stem, folder) for program in programs}


def result(name: str, folder: Path) -> str:
    """The lines that a program prints as its result; the last line of what it says where it fails."""
    said = (folder / f"{name}.log").read_text(errors="replace").splitlines()
    lines = [found[1] for line in said if (found := RESULT.fullmatch(line))]
    if (folder / f"{name}.code").read_text() != "0":
        return f"**fails**: {next((line.strip() for line in reversed(said) if line.strip()), 'no word')}"
    return "<br>".join(lines)


def row(program: Path, found: str) -> str:
    """A line of the table; a long result stands below it."""
    text = program.read_text()
    about = (ast.get_docstring(ast.parse(text)) or "") if program.suffix == ".py" else re.sub(r"(?m)^# ?", "", text)
    what, _, where = about.partition("\n\n")
    where = where.partition("\n\n")[0] if program.suffix == ".py" else where.partition("\n")[0]
    joined = " ".join(f"{what} {where}".split())
    shown = found.replace("|", chr(92) + "|") if len(found) <= LONGEST_CELL else f"[below](#{program.stem})"
    return f"| {program.stem} | {CLIENTS[client(program)]} | {joined} | {shown} |"


def details(program: Path, found: str) -> str:
    """A long result as a list of its lines; nothing of a short one."""
    if len(found) <= LONGEST_CELL:
        return ""
    return f"\n### {program.stem}\n\n" + "".join(f"- {line}\n" for line in found.split("<br>"))


def page(found: dict[str, str]) -> str:
    """The text of docs/programs.md."""
    rows = "".join(f"{row(program, found[program.stem])}\n" for program in ALL)
    return HEAD + rows + "".join(details(program, found[program.stem]) for program in ALL)


def test_each_program_runs_as_far_as_the_page_says(tmp_path: Path) -> None:
    asked = os.environ.get("SDKS", ",".join(SAMPLE))
    programs = ALL if asked in ("all", "write") else tuple(path for path in ALL if path.stem in asked.split(","))
    found = results(programs, tmp_path)
    if asked == "write":
        PAGE.write_text(page(found))
    committed = PAGE.read_text()
    assert [row(program, found[program.stem]) for program in programs] == [
        next((line for line in committed.splitlines() if line.startswith(f"| {program.stem} |")), "")
        for program in programs
    ]
    for program in programs:
        assert details(program, found[program.stem]) in committed


def test_the_page_has_a_row_for_each_program_and_no_other() -> None:
    named = re.findall(r"(?m)^\| ((?:v2|v3|boto3|cli)_\w+) \|", PAGE.read_text())
    assert named == [program.stem for program in ALL]
