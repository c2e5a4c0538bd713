"""What script mode runs: a module, a script, a package or a shell command.

Facts from sagemaker_training/_entry_point_type.py and process.py, and from sagemaker_containers/_modules.py.
"""

import re
import shlex
from collections.abc import Sequence
from pathlib import Path

from local_sagemaker.processes.image_families import ImageFamily
from local_sagemaker.processes.outcome import ClientFault

SAFE = re.compile(r"[A-Za-z0-9._][A-Za-z0-9._+-]*(/[A-Za-z0-9._+-]+)*")
PACKAGE = "setup.py"
EXECUTABLE = 0o777


def module_of(program: str) -> str:
    """The module that `python -m` runs."""
    return program.removesuffix(".py")


def is_command(family: ImageFamily, program: str, code: Path) -> bool:
    """Whether the shell runs the program: what is no Python file, and in no package."""
    if family.entry_points == "modules" or program.endswith(".py"):
        return False
    return program.endswith(".sh") or not (code / PACKAGE).is_file()


def command_of(
    family: ImageFamily, program: str, code: Path, python: Sequence[str], arguments: Sequence[str]
) -> list[str]:
    """The command that an image of this family runs in the folder of the code; ClientFault for an unsafe name."""
    if family.entry_points == "modules":
        return [*python, "-m", module_of(program), *arguments]
    if not SAFE.fullmatch(program) or {".", ".."} & set(program.split("/")):
        raise ClientFault(
            f"The training entry point {program!r} cannot be used: give sagemaker_program as a path inside the code, "
            "of letters, digits and . _ + - /, such as train.py or bin/train.sh."
        )
    if is_command(family, program, code):
        if (code / program).is_file():
            (code / program).chmod(EXECUTABLE)
        return ["/bin/sh", "-c", shlex.join([f"./{program}", *arguments])]
    if (code / PACKAGE).is_file():
        return [*python, "-m", module_of(program), *arguments]
    return [*python, program, *arguments]
