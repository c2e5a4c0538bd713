"""`make bench`: speed as ratios measured in one run, printed as a table; exit code 1 where a bar is missed."""

import os
import platform
import sys
import tempfile
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2]))

from answers import answer_rows
from artifact import artifact_rows
from captured_files import captured_files_rows
from evaluation_speed import evaluation_rows
from large_objects import large_object_rows
from monitoring_speed import monitoring_rows
from noop_steps import step_rows
from project import clean_clone_rows, run_rows, start_rows
from rows import Row, table
from servers import server_rows
from serving import serving_rows
from studio_pages import studio_rows
from volume import volume_rows

GROUPS = {
    "start": lambda folder: start_rows() + [Row(*line) for line in artifact_rows(folder)],
    "run": run_rows,
    "evaluation": evaluation_rows,
    "monitoring": monitoring_rows,
    "captured": captured_files_rows,
    "steps": step_rows,
    "serving": serving_rows,
    "answers": answer_rows,
    "servers": server_rows,
    "objects": large_object_rows,
    "volume": volume_rows,
    "studio": studio_rows,
    "clone": clean_clone_rows,
}


def main() -> int:
    """Measure the groups that are named, or all; `--no-clone` leaves out the clean clone, which takes minutes."""
    asked = [name for name in sys.argv[1:] if name != "--no-clone"] or list(GROUPS)
    unknown = sorted(set(asked) - set(GROUPS))
    if unknown:
        sys.exit(f"There is no group {', '.join(unknown)} of benchmarks: name some of {', '.join(GROUPS)}.")
    for name in [name for name in os.environ if name.startswith(("AWS_", "SAGEMAKER_"))]:
        del os.environ[name]
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        for name in asked:
            if name != "clone" or "--no-clone" not in sys.argv:
                print(f"measuring {name} ...", file=sys.stderr, flush=True)
                rows += GROUPS[name](Path(folder) / name)
    load = os.getloadavg()[0]
    print(f"{platform.platform()}, {os.cpu_count()} cores (load {load:.1f}), Python {platform.python_version()}\n")
    print(table(rows))
    return 0 if all(row.holds for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
