"""How things look, and with which exit code a command ends."""

import io
import json
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

import pytest
from botocore.exceptions import NoRegionError

from command_line.console import Console, Table, command_line, duration, moment, run_command
from pipelines.errors import PipelineError
from pipelines.watching.executions import timestamp
from tests.pipelines.conftest import Output

TABLE = Table(("NAME", "STATUS"), [("a", "Failed"), ("longer", "Succeeded")], [{"name": "a"}], "Nothing yet.")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_piped_table_is_aligned_lines_without_colours(output: Output) -> None:
    output.show(TABLE)
    assert output.text == "NAME    STATUS\na       Failed\nlonger  Succeeded\n"


def test_a_table_on_a_terminal_has_coloured_statuses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    stream = Terminal()
    Console(stream=stream).show(TABLE)
    assert "\x1b[31mFailed" in stream.getvalue()
    assert "\x1b[32mSucceeded" in stream.getvalue()


def test_square_brackets_are_no_markup_and_long_lines_are_not_cut_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    Console(stream=stream).line("[red]" + "x" * 300)
    assert stream.getvalue() == "[red]" + "x" * 300 + "\n"


def test_with_json_the_output_is_one_document_and_lines_go_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output(json_output=True)
    output.line("progress")
    output.show(TABLE)
    assert json.loads(output.text) == [{"name": "a"}]
    assert capsys.readouterr().err == "progress\n"


def test_an_empty_table_is_a_sentence(output: Output) -> None:
    output.show(Table(("A",), [], [], "Nothing yet."))
    assert output.text == "Nothing yet.\n"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "-"),
        (0.04, "0.0 s"),
        (3.14, "3.1 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 00 s"),
        (125, "2 min 05 s"),
        (3720, "1 h 02 min"),
    ],
)
def test_durations_are_readable(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


def test_points_in_time_are_local_for_people_and_utc_for_scripts() -> None:
    when = datetime(2026, 11, 23, 12, 0, 0, 5000, tzinfo=timezone.utc)
    assert timestamp(when) == "2026-11-23T12:00:00.005+00:00"
    assert moment(when) == when.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    assert (moment(None), timestamp(None)) == ("-", None)


def test_a_command_to_paste_names_the_interpreter_from_here_and_the_options_in_force(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "executable", str(tmp_path / ".venv" / "bin" / "python"))
    assert command_line("run_pipeline.py", local=True) == ".venv/bin/python run_pipeline.py --local"
    assert (
        command_line("run_pipeline.py", local=False, config="my file.yaml")
        == ".venv/bin/python run_pipeline.py --config 'my file.yaml'"
    )
    monkeypatch.setattr(sys, "executable", "/usr/bin/python3")
    assert command_line("run_pipeline.py", local=False) == "/usr/bin/python3 run_pipeline.py"


def test_expected_errors_are_one_sentence_and_exit_1(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> int:
        raise PipelineError("No such thing: make it.")

    def fail_in_aws() -> int:
        raise NoRegionError

    assert run_command("models", fail, (PipelineError,)) == 1
    assert capsys.readouterr().err == "error: No such thing: make it.\n"
    assert run_command("models", fail_in_aws, (PipelineError,)) == 1
    assert capsys.readouterr().err.startswith("error: No AWS region is set")


def test_ctrl_c_exits_130() -> None:
    def interrupt() -> int:
        raise KeyboardInterrupt

    assert run_command("models", interrupt, ()) == 130


def test_faults_of_the_program_keep_their_traceback() -> None:
    def fail() -> int:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_command("models", fail, (PipelineError,))


def test_a_reader_that_goes_away_is_no_error_message() -> None:
    program = (
        "import sys\n"
        "from command_line.console import Console, run_command\n"
        "def talk():\n"
        "    while True: Console().line('x' * 1000)\n"
        "sys.exit(run_command('talk', talk, ()))\n"
    )
    project = Path(__file__).resolve().parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 1
