"""A Python that runs the project's commands in forks of one process, for tests of what they do, not of how they start.

A command needs a second and more to import, one that compiles the pipeline eight; the tests run some hundreds of them.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent


@contextmanager
def warm_python(root: Path) -> Iterator[str]:
    """The path of an interpreter, called `python`, for the commands of the project in `root`."""
    with tempfile.TemporaryDirectory(prefix="warm-") as folder:
        address, shim = f"{folder}/socket", Path(folder, "python")
        environment = {"PATH": os.environ["PATH"], "HOME": folder}
        server = subprocess.Popen(
            [sys.executable, str(HERE / "server.py"), address, str(root)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
        )
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            assert server.stdout.readline() == b"ready\n"
            shim.write_text(
                f"#!{sys.executable} -IS\n"
                f"import sys\nsys.path.insert(0, {str(HERE)!r})\n"
                f"from client import main\nmain({address!r}, {sys.executable!r})\n"
            )
            shim.chmod(0o755)
            yield str(shim)
        finally:
            server.stdin.close()
            server.wait()
