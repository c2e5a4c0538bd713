"""The supervisor by itself: its protocol, and that nothing outlives it."""

import signal
import subprocess
import sys
import time
from pathlib import Path

from local_sagemaker.processes.isolation import SUPERVISOR


class Supervisor:
    """One with a job."""

    def __init__(self, folder: Path, *command: str) -> None:
        self.log = folder / "log"
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(SUPERVISOR), "/", str(self.log), "", "", "", "5", *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )

    def hear(self) -> list[str]:
        assert self.process.stdout is not None
        return self.process.stdout.readline().decode().split()


def test_pid_and_exit_code_are_reported(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path, "/bin/sh", "-c", "echo $$; exit 3")
    pid = supervisor.hear()[1]
    assert supervisor.hear() == ["end", "3", "0"]
    assert supervisor.log.read_text() == f"{pid}\n"
    assert supervisor.process.wait(5) == 0


def test_a_killed_job_has_the_exit_code_that_docker_reports(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path, "/bin/sh", "-c", "kill -SEGV $$")
    supervisor.hear()
    assert supervisor.hear() == ["end", "139", "0"]


def test_stop_and_the_end_of_the_stream_and_sigterm_end_the_job(tmp_path: Path) -> None:
    for end in ("stop", "close", "signal"):
        supervisor = Supervisor(tmp_path, "sleep", "60")
        supervisor.hear()
        if end == "stop":
            supervisor.process.stdin.write(b"stop\n")  # type: ignore[union-attr]
        elif end == "close":
            supervisor.process.stdin.close()  # type: ignore[union-attr]
        else:
            supervisor.process.terminate()
        assert supervisor.hear() == ["end", str(128 + signal.SIGTERM), "1"], end
        assert supervisor.process.wait(5) == 0


def test_a_command_that_does_not_exist_is_said_in_the_log(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path, "no-such-command")
    supervisor.hear()
    assert supervisor.hear() == ["end", "127", "0"]
    assert supervisor.log.read_text().startswith("no-such-command: No such file or directory")


if sys.platform == "linux":  # elsewhere there is no parent-death signal

    def test_the_job_dies_with_a_killed_supervisor(tmp_path: Path) -> None:
        supervisor = Supervisor(tmp_path, "sleep", "60")
        pid = supervisor.hear()[1]
        supervisor.process.kill()
        supervisor.process.wait()
        deadline = time.monotonic() + 5
        while _runs(pid):
            assert time.monotonic() < deadline
            time.sleep(0.01)


def _runs(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_signal_that_python_ignores_is_not_ignored_by_the_job(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path, "/bin/sh", "-c", "kill -PIPE $$; echo survived")
    supervisor.hear()
    assert supervisor.hear() == ["end", str(128 + signal.SIGPIPE), "0"]
