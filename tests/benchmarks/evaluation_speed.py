"""Evaluation of a million rows, with Shapley values on a sample: time and memory against one plain predict."""

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

from project import by_hand
from rows import Row

ROWS = 1_000_000
PREDICT = """
import sys
from pathlib import Path
import pandas as pd
from steps.archive import unpack
from steps.model import load
unpack(Path(sys.argv[1]) / "model.tar.gz", Path(sys.argv[2]))
model = load(Path(sys.argv[2]))
print(model.predict(pd.read_parquet(Path(sys.argv[3]) / "test.parquet")).mean())
"""


def evaluation_rows(folder: Path) -> list[Row]:
    """Rows for the table: the model of the default data, and its test part over and over. Memory is the peak."""
    from pipelines.settings.settings import default_config, load_settings

    by_hand(folder)
    return compared(folder / "code", folder / "work", load_settings(default_config()).gates.model_dump(), ROWS)


def compared(code: Path, work: Path, limits: dict[str, float], rows: int) -> list[Row]:
    """Evaluate many rows with what `by_hand` left: the unpacked bundle in `code`, the job's files in `work`."""
    import pandas as pd

    many = work / "many"
    for name in ("none", "test"):
        (many / name).mkdir(parents=True)
    (many / "none" / "none.json").write_text("{}")
    part = pd.read_parquet(work / "test" / "test.parquet")
    repeated = pd.concat([part] * (rows // len(part) + 1), ignore_index=True).head(rows)
    repeated.to_parquet(many / "test" / "test.parquet")
    del part, repeated
    packed = work / "packed"
    predict = measured([sys.executable, "-c", PREDICT, str(packed), str(many / "model"), str(many / "test")], code)
    inputs = {
        "model": packed,
        "test": many / "test",
        "rows": work / "rows",
        "train": work / "train",
        "champion": many / "none",
        "output": many / "evaluation",
    }
    options = [f"--{name}={value}" for name, value in {**inputs, **limits}.items()]
    evaluate = measured([sys.executable, "-m", "evaluation.evaluate", *options], code)
    document = json.loads((many / "evaluation" / "evaluation.json").read_text())
    assert document["data"]["test_rows"] == rows
    return [
        Row("evaluation of 1,000,000 rows / one predict of them", evaluate[0], predict[0], 6.0),
        Row("  its peak memory in GB / that of the predict", evaluate[1], predict[1], 2.0),
    ]


def measured(command: list[str], cwd: Path, environment: dict[str, str] | None = None) -> tuple[float, float]:
    """Seconds and peak memory in GB of one command; its output is shown where it fails."""
    start = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit(f"{' '.join(command)} failed:\n{output}")
    return seconds, _gigabytes(usage)


def _gigabytes(usage: resource.struct_rusage) -> float:
    """ru_maxrss is in KB on Linux and in bytes on macOS."""
    return usage.ru_maxrss / (1e9 if sys.platform == "darwin" else 1e6)
