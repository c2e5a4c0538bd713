"""Rows a second of steps.score beside those of the model alone: `python tests/benchmarks/scoring.py MODEL FOLDER OUT`.

MODEL is a folder with a model.tar.gz, FOLDER holds Parquet files (tests/benchmarks/sales.py), OUT is new. The model
alone predicts the rows of the first file, which are in memory and typed. Each is a process of its own.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

ALONE = """
import sys, time
import pandas as pd
from pathlib import Path
from steps.archive import load_archive
from steps.columns import columns_of
from steps.conversion import convert
model = load_archive(Path(sys.argv[1]) / "model.tar.gz")
inputs = model.features.inputs
table = pd.read_parquet(sorted(Path(sys.argv[2]).rglob("*.parquet"))[0])
rows = pd.DataFrame({name: convert(table[name], column)[0] for name, column in inputs.items()})
columns = columns_of(rows, inputs, {name: column.type for name, column in inputs.items()})
for name, call in (("predict", lambda: model.predict(rows)), ("answer", lambda: model.answer(columns, len(rows)))):
    call()
    began, busy = time.perf_counter(), time.process_time()
    call()
    took, used = time.perf_counter() - began, time.process_time() - busy
    print(f"Model.{name}: {len(rows) / took:,.0f} rows a second, {used / len(rows) * 1e6:.1f} s of processor a million")
"""


def main() -> None:
    """Measure both, and print what each has taken."""
    model, folder, output = sys.argv[1:]
    subprocess.run([sys.executable, "-c", ALONE, model, folder], check=True)
    words = [
        "--model",
        model,
        "--rows",
        folder,
        "--predictions",
        f"{output}/predictions",
        "--summary",
        f"{output}/told",
    ]
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "steps.score", *words], env={**os.environ, "SM_OUTPUT_DIR": output}
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    used = usage.ru_utime + usage.ru_stime
    print(f"steps.score: {seconds:.1f} s, {used:.1f} s of the processor, peak memory {usage.ru_maxrss / 1e6:.2f} GB")
    print(f"{sum(path.stat().st_size for path in Path(output).rglob('*.parquet')) / 1e6:,.0f} MB are written")


if __name__ == "__main__":
    main()
