"""The process around a target's command: it, and all that it started, ends with the server.

Started as `python target_process.py WORD...`. Standard input is the server's: a line of JSON for the command's own
standard input, and then its end, which comes when the server is gone or stops the run.
"""

import os
import signal
import subprocess
import sys
import threading


def main(words: list[str]) -> int:
    """The exit code of the command; 127 where it cannot be started."""
    event = sys.stdin.readline()
    threading.Thread(target=end_with_input, daemon=True).start()
    try:
        return subprocess.run(words, input=event, text=True).returncode
    except OSError as error:
        print(f"{words[0]} cannot be started: {error.strerror}", file=sys.stderr, flush=True)
        return 127


def end_with_input() -> None:
    """Wait for the end of standard input, and end this process and all that it started."""
    sys.stdin.read()
    os.killpg(os.getpgid(0), signal.SIGKILL)


if __name__ == "__main__":
    os._exit(main(sys.argv[1:]) & 0xFF)
