"""Makes the pictures of the README: a run in a terminal, and the evaluation report in a browser.

`make pictures` runs the pipeline on a local SageMaker of its own, under a pseudo-terminal, and photographs what it
shows. It needs Chromium, and a machine that does nothing else: the durations are in the picture.
"""

import os
import pty
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

HERE = Path(__file__).parent
COLUMNS, LINES = 126, 60
LINE_HEIGHT, CHARACTER_WIDTH, MARGIN = 19, 7.83, 20  # pixels, of DejaVu Sans Mono at 13 pixels
REPORT_SIZE = (1000, 1250)
RUN = ("run_pipeline.py", "--local", "run", "--data", "data/house_prices.parquet")
PAGE = """<meta charset="utf-8"><style>body {{ margin: 0; background: #16181d }}
pre {{ font: 13px/19px "DejaVu Sans Mono", monospace; color: #e4e6eb; padding: 20px; margin: 0 }}
{stylesheet}</style><pre>{code}</pre>"""


def main() -> int:
    """Run the pipeline and write both pictures; the exit code is that of the run."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        print("error: there is no Chromium: apt-get install chromium", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        os.environ.update(
            SAGEMAKER_LOCAL_PORT=str(_free_port()),
            SAGEMAKER_LOCAL_STATE=str(folder / "state"),
            COLUMNS=str(COLUMNS),
            LINES=str(LINES),
            TERM="xterm-256color",
        )
        try:
            subprocess.run([sys.executable, "run_pipeline.py", "local", "up"], check=True, stdout=subprocess.DEVNULL)
            code, output = in_terminal([_below_here(sys.executable), *RUN])
            if code:
                print(output, file=sys.stderr)
                return code
            lines, page = screen(output), folder / "run.html"
            page.write_text(page_of(lines), encoding="utf-8")
            size = (round(COLUMNS * CHARACTER_WIDTH) + 2 * MARGIN, len(lines) * LINE_HEIGHT + 2 * MARGIN)
            photograph(browser, page, HERE / "run.png", size)
            photograph(browser, _report(), HERE / "report.png", REPORT_SIZE)
            return 0
        finally:
            subprocess.run([sys.executable, "run_pipeline.py", "local", "down"], check=True, stdout=subprocess.DEVNULL)


def in_terminal(command: list[str]) -> tuple[int, str]:
    """Run a command in a pseudo-terminal; its exit code and all that it wrote."""
    pid, terminal = pty.fork()
    if not pid:
        os.execv(command[0], command)  # noqa: S606 - in the new process
    written = bytearray()
    while True:
        try:
            written += os.read(terminal, 65536)
        except OSError:  # how Linux says that the other end is closed
            break
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), written.decode("utf-8", "replace")


def screen(output: str) -> list[str]:
    """What stands on the terminal at the end: lines with their colours, without what was drawn over."""
    lines, row = [""], 0
    for piece in re.split(r"(\n|\x1b\[\??\d*[A-Zhl])", output.replace("\r", "")):
        if piece == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif re.fullmatch(r"\x1b\[\d*A", piece):  # the cursor goes up
            row -= int(piece[2:-1] or 1)
        elif re.fullmatch(r"\x1b\[\d*K", piece):  # the line is erased
            lines[row] = ""
        elif not re.fullmatch(r"\x1b\[\??\d*[A-Zhl]", piece):
            lines[row] += piece
    while not lines[-1].strip():
        lines.pop()
    return lines


def page_of(lines: list[str]) -> str:
    """The lines as a page, in a terminal's colours."""
    with open(os.devnull, "w") as nothing:
        console = Console(record=True, width=COLUMNS, file=nothing, force_terminal=True)
        for line in lines:
            console.print(Text.from_ansi(line), soft_wrap=True)
        return console.export_html(code_format=PAGE, theme=MONOKAI)


def photograph(browser: str, page: Path, picture: Path, size: tuple[int, int]) -> None:
    """Write the upper left part of a page, of this size in pixels, as a PNG."""
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-background-networking"]
    shot = [f"--screenshot={picture}", f"--window-size={size[0]},{size[1]}"]
    subprocess.run([browser, *options, *shot, page.absolute().as_uri()], check=True, capture_output=True)


def _report() -> Path:
    """The report of the model that the run has registered."""
    command = [sys.executable, "run_pipeline.py", "--local", "report", "1", "--no-open"]
    return Path(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip())


def _below_here(executable: str) -> str:
    path = Path(executable)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else executable


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
