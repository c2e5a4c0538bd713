"""A command in the warm Python does what it does in a process of its own."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e

SCRIPT = """
import os, sys
print(os.getcwd(), sorted(os.environ), sys.argv, sys.stdin.read(), sys.stdout.isatty())
print("on the other stream", file=sys.stderr)
os.environ["LEFT"] = "behind"
end = sys.argv[1]
if end == "raises":
    raise ValueError("no")
sys.exit(int(end) if end.isdigit() else end)
"""


def ended(python: str, script: Path, end: str) -> tuple[int, str, list[str]]:
    """Its exit code, its output, and the first and the last line of its errors."""
    variables = {"PATH": os.environ["PATH"], "ONLY": "this"}
    done = subprocess.run(
        [python, str(script), end], cwd=script.parent, env=variables, input="given", capture_output=True, text=True
    )
    lines = done.stderr.splitlines()
    return done.returncode, done.stdout, [lines[0], lines[-1]]


@pytest.mark.parametrize("end", ["0", "3", "a sentence", "raises"])
def test_its_streams_folder_environment_and_exit_code_are_the_same(warm: str, tmp_path: Path, end: str) -> None:
    script = tmp_path / "run_pipeline.py"
    script.write_text(SCRIPT)
    assert ended(warm, script, end) == ended(sys.executable, script, end)
    assert "LEFT" not in ended(warm, script, end)[1]


def test_what_is_no_command_of_the_project_runs_in_a_new_process(warm: str) -> None:
    done = subprocess.run([warm, "-c", "import sys; print('boto3' in sys.modules)"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "False\n")


def test_it_ends_with_its_client(warm: str, tmp_path: Path) -> None:
    script = tmp_path / "run_pipeline.py"
    script.write_text("import os, time\nprint(os.getpid(), flush=True)\ntime.sleep(600)\n")
    client = subprocess.Popen([warm, str(script)], stdout=subprocess.PIPE, text=True)
    assert client.stdout is not None
    pid = int(client.stdout.readline())
    client.kill()
    client.wait()
    deadline = time.monotonic() + 60
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
