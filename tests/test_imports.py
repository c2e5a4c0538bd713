"""Who may import whom, as the design says; and what answers at once imports nothing large."""

import ast
import os
import re
import subprocess
import sys
from functools import cache
from graphlib import TopologicalSorter
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import tomllib
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
FOLDERS = (
    "command_line",
    "infrastructure",
    "pipelines",
    "profiling",
    "steps",
    "evaluation",
    "monitoring",
    "deployment",
    "studio",
    "lessons",
    "local_sagemaker",
)
MAY_IMPORT = {
    "command_line": {"infrastructure", "pipelines", "profiling", "deployment", "studio", "local_sagemaker"},
    "infrastructure": {"local_sagemaker"},  # what a policy allows: see the test below
    "pipelines": {"steps"},  # one schema and one table of hyperparameters for the YAML and for the jobs
    "profiling": {"steps"},
    "steps": set(),
    "evaluation": {"steps"},
    "monitoring": {"evaluation", "steps"},
    "deployment": set(),
    "lessons": {"local_sagemaker"},  # starting it; what they grade is read through boto3
    "studio": set(),  # works on any account, through boto3 alone
    "local_sagemaker": set(),
}
NEVER_IN_A_JOB = {"sagemaker", "boto3", "botocore", "moto", "pydantic", "yaml"}
LARGE = (
    "sagemaker",
    "boto3",
    "botocore",
    "moto",
    "pandas",
    "numpy",
    "pydantic",
    "rich",
    "xgboost",
    "starlette",
    "uvicorn",
)


@cache
def imports(path: Path) -> tuple[ast.Import | ast.ImportFrom, ...]:
    """The imports of a file, at its top or inside a function."""
    return tuple(node for node in ast.walk(tree(path)) if isinstance(node, ast.Import | ast.ImportFrom))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def imported(path: Path) -> set[str]:
    """Every module that a file imports."""
    names: set[str] = set()
    for node in imports(path):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif node.module and not node.level:
            names.add(node.module)
    return names


def modules_imported(path: Path) -> set[str]:
    """As `imported`, and `from package import module` is that module."""
    taken = [node for node in imports(path) if isinstance(node, ast.ImportFrom)]
    return imported(path) | {f"{node.module}.{alias.name}" for node in taken for alias in node.names}


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_knows_only_what_the_design_lets_it_know(folder: str) -> None:
    for path in (ROOT / folder).rglob("*.py"):
        crossed = {name.partition(".")[0] for name in imported(path)} & set(FOLDERS) - {folder}
        assert crossed <= MAY_IMPORT[folder], f"{path} imports {crossed}"


def test_pipelines_takes_from_the_steps_only_what_loads_no_library() -> None:
    taken = {name for path in (ROOT / "pipelines").rglob("*.py") for name in imported(path) if name.startswith("steps")}
    assert taken == {
        "steps.settings",
        "steps.hyperparameters",
        "steps.other_libraries",
        "steps.gates",
        "steps.training_metrics",
        "steps.data_set",
        "steps.failure",
        "steps.part_sizes",
    }
    for module in taken:
        names = imported(ROOT / f"{module.replace('.', '/')}.py")
        assert {name for name in names if name.partition(".")[0] not in {"steps", *sys.stdlib_module_names}} == set()


def test_infrastructure_takes_from_local_sagemaker_only_how_policies_are_decided() -> None:
    taken = {name for path in (ROOT / "infrastructure").rglob("*.py") for name in imported(path)}
    assert all(name.startswith("local_sagemaker.iam.") for name in taken if name.startswith("local_sagemaker"))


@pytest.mark.parametrize("folder", ["steps", "evaluation", "monitoring"])
def test_what_runs_in_a_job_needs_nothing_that_the_image_lacks(folder: str) -> None:
    for path in (ROOT / folder).rglob("*.py"):
        assert not {name.partition(".")[0] for name in imported(path)} & NEVER_IN_A_JOB, path


@pytest.mark.parametrize("script", ["run_pipeline.py", "deploy_model.py"])
@pytest.mark.parametrize("arguments", [["--help"], ["nonsense"], ["local", "status"]])
def test_help_and_wrong_arguments_import_nothing_large(script: str, arguments: list[str]) -> None:
    if script == "deploy_model.py" and arguments[0] == "local":
        arguments = ["deploy", "--help"]
    program = (
        "import runpy, sys\n"
        "sys.argv = sys.argv[1:]\n"
        "try: runpy.run_path(sys.argv[0], run_name='__main__')\n"
        "except SystemExit: pass\n"
        f"print([name for name in {LARGE} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, script, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "SAGEMAKER_LOCAL_PORT": "1"},
    )
    assert done.stderr.splitlines()[-1] == "[]"


def part_of(package: str, module: str) -> str:
    """The folder of a package that a module is in, or the module itself where it is in none."""
    inner = module.split(".")[1:2]
    return "".join(inner) if (ROOT / package / "".join(inner)).is_dir() else module


def test_no_module_leads_back_to_itself() -> None:
    modules = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): path
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*.py")
    }
    knows = {name: modules_imported(path) & modules.keys() - {name} for name, path in modules.items()}
    TopologicalSorter(knows).prepare()  # CycleError names the circle; imports for types alone count too


# What a constructor may not do: a thread of its own, a process less, a folder less.
NOT_IN_A_CONSTRUCTOR = {"start", "kill", "killpg", "terminate", "rmtree", "unlink", "rmdir", "remove"}


@pytest.mark.parametrize("folder", FOLDERS)
def test_constructors_start_no_thread_and_take_nothing_away(folder: str) -> None:
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef) and node.name in ("__init__", "__post_init__"):
                called = {
                    call.func.attr
                    for call in ast.walk(node)
                    if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)
                }
                assert not called & NOT_IN_A_CONSTRUCTOR, (path, node.lineno)


@pytest.mark.parametrize("package", ["local_sagemaker", "pipelines", "studio"])
def test_no_folder_leads_back_to_itself(package: str) -> None:
    knows: dict[str, set[str]] = {}
    for path in (ROOT / package).rglob("*.py"):
        place = part_of(package, ".".join(path.relative_to(ROOT).with_suffix("").parts))
        theirs = {part_of(package, name) for name in modules_imported(path) if name.startswith(f"{package}.")}
        knows.setdefault(place, set()).update(theirs - {place})
    TopologicalSorter(knows).prepare()  # CycleError names the circle


def test_the_tests_of_local_sagemaker_stand_with_it_alone() -> None:
    for path in [ROOT / "tests/conftest.py", *(ROOT / "tests/local_sagemaker").rglob("*.py")]:
        crossed = {name.partition(".")[0] for name in imported(path)} & set(FOLDERS) - {"local_sagemaker"}
        tests = {name for name in imported(path) if name.startswith("tests.")}
        assert not crossed, f"{path} imports {crossed}"
        assert {name for name in tests if not name.startswith(("tests.local_sagemaker", "tests.conftest"))} == set(), (
            path
        )


@pytest.mark.parametrize(
    ("folder", "extras"), [("local_sagemaker", ()), ("tests/local_sagemaker", ("test",))], ids=["package", "tests"]
)
def test_local_sagemaker_asks_for_what_it_imports(folder: str, extras: tuple[str, ...]) -> None:
    project = tomllib.loads((ROOT / "local_sagemaker/pyproject.toml").read_text())["project"]
    asked = [*project["dependencies"], *(name for extra in extras for name in project["optional-dependencies"][extra])]
    names = {canonicalize_name(Requirement(line).name) for line in asked}
    image = ROOT / "local_sagemaker/toolkits"  # which the image's interpreter runs, with the image's libraries
    paths = [path for path in (ROOT / folder).rglob("*.py") if image not in path.parents]
    modules = {name.partition(".")[0] for path in paths for name in imported(path)}
    ours = {"local_sagemaker", "tests", *sys.stdlib_module_names}
    of_module = packages_distributions()
    missing = {module for module in modules - ours if not names & set(map(canonicalize_name, of_module[module]))}
    assert missing == set()


def test_what_local_sagemaker_asks_for_is_locked() -> None:
    project = tomllib.loads((ROOT / "local_sagemaker/pyproject.toml").read_text())["project"]
    lock = (ROOT / "requirements.lock").read_text()
    for line in project["dependencies"]:
        wanted = Requirement(line)
        locked = re.findall(rf"^{re.escape(wanted.name)}(?:\[[\w,]+\])?==([\w.+!]+)", lock, re.MULTILINE)
        assert locked, line
        assert all(wanted.specifier.contains(version) for version in locked), (line, locked)


def test_only_the_services_of_moto_know_moto() -> None:
    for path in (ROOT / "local_sagemaker").rglob("*.py"):
        if path.parent.name not in ("moto_services", "s3"):
            assert "moto" not in {name.partition(".")[0] for name in imported(path)}, path


def test_the_state_knows_nothing_of_who_uses_it() -> None:
    for path in (ROOT / "local_sagemaker/state").rglob("*.py"):
        ours = {name for name in imported(path) if name.startswith("local_sagemaker.")}
        below = ("local_sagemaker.state", "local_sagemaker.errors", "local_sagemaker.configuration")
        assert {name for name in ours if not name.startswith(below)} == set(), path
        assert "moto" not in {name.partition(".")[0] for name in imported(path)}, path
