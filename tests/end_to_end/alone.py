"""Local SageMaker alone: its wheel in an environment of its own, and its tests, with nothing else of the project.

.venv/bin/python tests/end_to_end/alone.py [WHAT PYTEST IS TO RUN, AND ITS OPTIONS]
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TESTS = "tests/local_sagemaker"
WHAT_TESTS_READ = ("tests/conftest.py", TESTS, "docs")


def build(folder: Path) -> Path:
    """The wheel of local SageMaker, built from its own metadata."""
    _uv("build", "--wheel", "--out-dir", str(folder), str(ROOT / "local_sagemaker"))
    (wheel,) = folder.glob("*.whl")
    return wheel


def install(wheel: Path, environment: Path) -> Path:
    """A new environment with the wheel, what it asks for in the locked versions, and no more; returns its Python."""
    _uv("venv", "--python", sys.executable, str(environment))
    python = environment / "bin/python"
    wanted = f"local-sagemaker[test] @ {wheel.as_uri()}"
    _uv("pip", "install", "--python", str(python), "--constraints", str(ROOT / "requirements-dev.lock"), wanted)
    return python


def copy_tests(folder: Path) -> None:
    """Its tests and what they read, in a folder in which nothing else of the project is."""
    for name in WHAT_TESTS_READ:
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, place)
    settings = (ROOT / "setup.cfg").read_text().partition("[tool:pytest]")[2].partition("\n[")[0]
    (folder / "setup.cfg").write_text(f"[tool:pytest]{settings}\n")


def main(arguments: list[str]) -> int:
    """Build, install, and run the tests; the exit code is pytest's."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        python = install(build(folder / "wheel"), folder / "environment")
        copy_tests(folder / "elsewhere")
        command = [python, "-m", "pytest", *(arguments or [TESTS])]
        return subprocess.run(command, cwd=folder / "elsewhere").returncode


def _uv(*arguments: str) -> None:
    subprocess.run([Path(sys.executable).with_name("uv"), "--quiet", *arguments], check=True, cwd=ROOT)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
