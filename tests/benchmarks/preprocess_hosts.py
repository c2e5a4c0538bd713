"""Preprocess on 1, 2 and 4 hosts of this machine: `python tests/benchmarks/preprocess_hosts.py VALIDATED SETTINGS`.

VALIDATED holds the data.parquet of steps.validate, SETTINGS is the settings.json of the job's archive. A table of the
processor time and peak memory of each host is printed; a host that waits for others takes neither.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT, COUNTS = Path(__file__).resolve().parents[2], (1, 2, 4)


def main() -> None:
    """Measure each number of hosts, one after another."""
    validated, settings = map(Path, sys.argv[1:])
    print("| hosts | host | time of the processor | peak memory |\n| --- | --- | --- | --- |")
    for count in COUNTS:
        with tempfile.TemporaryDirectory() as folder:
            for number, usage in enumerate(_run(validated.resolve(), settings.resolve(), Path(folder), count)):
                processor, memory = usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024
                print(f"| {count} | {number + 1} | {processor:.1f} s | {memory / 1e9:.2f} GB |", flush=True)


def _run(validated: Path, settings: Path, folder: Path, count: int) -> list[resource.struct_rusage]:
    """What each host has used, in their order."""
    names = [f"127.99.8.{number + 1}" for number in range(count)]
    processes = []
    for name in names:
        own = folder / name
        own.mkdir()
        (own / "resources.json").write_text(json.dumps({"current_host": name, "hosts": names}))
        places = {
            "input": validated,
            "output": own / "files",
            "settings": settings,
            "resources": own / "resources.json",
        }
        words = [word for key, value in places.items() for word in (f"--{key}", str(value))]
        environment = {**os.environ, "SM_OUTPUT_DIR": str(own / "output"), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "steps.preprocess", *words]
        processes.append(subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL))
    found = []
    for process in processes:
        _, status, usage = os.wait4(process.pid, 0)
        if status:
            raise SystemExit("A host failed: see above.")
        found.append(usage)
    return found


if __name__ == "__main__":
    main()
