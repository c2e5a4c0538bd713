"""Runs programs one beside another, in the interpreter whose packages they need; started by test_programs.py as a file.

`python run_programs.py FOLDER MODULE PROGRAM...`: MODULE is imported once, and each program then runs unchanged in a
child of its own, in the folder FOLDER/NAME. Its output goes to FOLDER/NAME.log, and its exit code to FOLDER/NAME.code.
All that differs from running it by hand: the SDKs' waits between two looks at a job are at most LONGEST_WAIT, and a
waiter of botocore looks MOST_LOOKS times, since its looks are so near each other.
"""

import importlib
import os
import runpy
import subprocess
import sys
import time
import traceback
from pathlib import Path

AT_ONCE = 3
LONGEST_WAIT = 0.5
MOST_LOOKS = 10_000
SLEEP = time.sleep


def main(folder: Path, module: str, programs: list[Path]) -> None:
    """Run all of them, AT_ONCE at a time."""
    if module:
        importlib.import_module(module)
    waiting, running = list(programs), {}
    while waiting or running:
        while waiting and len(running) < AT_ONCE:
            program = waiting.pop(0)
            child = os.fork()
            if child == 0:
                os._exit(run(program, folder))
            running[child] = program
        child, status = os.wait()
        (folder / f"{running.pop(child).stem}.code").write_text(str(os.waitstatus_to_exitcode(status)))


def run(program: Path, folder: Path) -> int:
    """Run one program in this process, which is its own; returns its exit code."""
    own = folder / program.stem
    own.mkdir()
    os.chdir(own)
    log = os.open(folder / f"{program.stem}.log", os.O_WRONLY | os.O_CREAT)
    os.dup2(log, 1)
    os.dup2(log, 2)
    if program.suffix == ".sh":
        return subprocess.run(["bash", "-eu", str(program)], check=False).returncode
    time.sleep = lambda seconds: SLEEP(min(seconds, LONGEST_WAIT))
    look_often()
    code = 0
    try:
        runpy.run_path(str(program), run_name="__main__")
    except SystemExit as end:
        code = 0 if end.code is None else 1
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return code


def look_often() -> None:
    """Have botocore's waiters give up after MOST_LOOKS, whatever a program or a model of theirs says."""
    import botocore.waiter

    read = botocore.waiter.SingleWaiterConfig.__init__

    def read_often(self: object, config: dict[str, object]) -> None:
        read(self, {**config, "maxAttempts": MOST_LOOKS})

    botocore.waiter.SingleWaiterConfig.__init__ = read_often


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], [Path(each) for each in sys.argv[3:]])
