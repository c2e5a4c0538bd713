"""Train on two hosts with one thread each against one such host, and XGBoost alone in the same way, in one run.

`make bench-hosts ROWS=200000` prints the seconds, the two factors and their ratio, and ends with 1 where that
is below BAR. Whole jobs are measured, from the start of the processes to their end.
"""

import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from steps.artifacts import write_json
from steps.column_settings import Column
from steps.features import Features
from steps.part_files import part_files, write_parts

ROOT = Path(__file__).resolve().parents[2]
BAR = 0.85  # of the factor that XGBoost alone reaches
COLUMNS, ROUNDS, NETWORK = 30, 100, "127.99.7"
# Boosting from the mean, so that no starting points are compared; nothing stops early.
OPTIONS = ("--rounds", str(ROUNDS), "--early_stopping_rounds", str(ROUNDS), "--threads", "1", "--start", "mean")


def main(rows: int) -> int:
    """Measure, print, and tell by the exit code whether the bar is met."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table = table_of(rows)
        write_channels(folder, table)
        seconds = {hosts: _train(folder, hosts) for hosts in (1, 2)}
        alone = {hosts: _boost(folder, hosts) for hosts in (1, 2)}
    ours, theirs = seconds[1] / seconds[2], alone[1] / alone[2]
    print(f"{rows:,} rows, {COLUMNS} columns, {ROUNDS} rounds, one thread for each host")
    print(f"Train          one host {seconds[1]:.1f} s, two {seconds[2]:.1f} s: factor {ours:.2f}")
    print(f"XGBoost alone  one host {alone[1]:.1f} s, two {alone[2]:.1f} s: factor {theirs:.2f}")
    print(f"ratio {ours / theirs:.2f}, at least {BAR}")
    return 0 if ours / theirs >= BAR else 1


def table_of(rows: int) -> pd.DataFrame:
    """Numbers that a price follows from, and the price."""
    random = np.random.default_rng(0)
    values = random.normal(size=(rows, COLUMNS))
    table = pd.DataFrame(values, columns=[f"x{number}" for number in range(COLUMNS)])
    table["price"] = 500 + 20 * values[:, 0] + 10 * values[:, 1] * values[:, 2] + random.normal(0, 9, rows)
    return table


def write_channels(folder: Path, table: pd.DataFrame) -> None:
    """The channels of Train, as Preprocess writes them."""
    names = [name for name in table if name != "price"]
    features = Features(
        names=tuple(names),
        inputs={name: Column(type="number") for name in names},
        derived={},
        levels={},
        fill={name: 0.0 for name in names},
        target="price",
        target_unit="",
        target_scale="linear",
        target_range=(float(table["price"].min()), float(table["price"].max())),
    )
    write_json(folder / "features" / "features.json", features.to_json())
    for name, part in (("validation", table[::10].reset_index(drop=True)), ("train", table)):
        write_parts(folder / name, len(part), part.__getitem__)


def _train(folder: Path, count: int) -> float:
    """The seconds of the job `steps.train` on so many hosts."""
    names, running = [f"{NETWORK}.{number + 1}" for number in range(count)], []
    for number, name in enumerate(names):
        own = folder / f"{count}-{number}"
        (own / "train").mkdir(parents=True)
        for path in part_files(folder / "train")[number::count]:
            os.link(path, own / "train" / path.name)
        write_json(own / "resources.json", {"current_host": name, "hosts": names})
    began = time.perf_counter()
    for number in range(count):
        own = folder / f"{count}-{number}"
        places = {"train": own / "train", "model_dir": own / "model", "resources": own / "resources.json"}
        places |= {name: folder / name for name in ("validation", "features")}
        arguments = [text for key, value in places.items() for text in (f"--{key}", str(value))]
        command = [sys.executable, "-m", "steps.train", *arguments, *OPTIONS]
        running.append(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL))
    if any([process.wait() for process in running]):
        raise SystemExit("steps.train failed")
    rounds = json.loads((folder / f"{count}-0" / "model" / "model.json").read_text())["best_iteration"] + 1
    seconds = time.perf_counter() - began
    print(f"  {count} hosts: {rounds} rounds, {seconds:.1f} s")
    return seconds


def _boost(folder: Path, count: int) -> float:
    """The seconds of as many rounds by XGBoost itself, from the start of its processes to their end."""
    from xgboost.tracker import RabitTracker

    tracker = RabitTracker(host_ip="127.0.0.1", n_workers=count, sortby="task")
    tracker.start()
    context = multiprocessing.get_context("spawn")
    began = time.perf_counter()
    arguments = [(folder, number, count, tracker.worker_args()) for number in range(count)]
    running = [context.Process(target=_worker, args=each) for each in arguments]
    for process in running:
        process.start()
    for process in running:
        process.join()
    tracker.wait_for(10)
    return time.perf_counter() - began


def _worker(folder: Path, number: int, count: int, worker: dict[str, str | int]) -> None:
    import xgboost
    from xgboost import collective

    table = pd.concat(map(pd.read_parquet, part_files(folder / "train")[number::count]))
    parameters = {"tree_method": "hist", "max_depth": 6, "learning_rate": 0.05, "subsample": 0.8, "nthread": 1}
    with collective.CommunicatorContext(**worker, dmlc_task_id=str(number)):
        data = xgboost.DMatrix(table.drop(columns="price").to_numpy(), table["price"].to_numpy())
        for _ in range(3):  # about as much as Train boosts: the prediction, the interval's trees, and the last ones
            xgboost.train(parameters, data, num_boost_round=ROUNDS)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000))
