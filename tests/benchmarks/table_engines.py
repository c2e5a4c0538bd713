"""DuckDB, Polars and pandas on what our own steps do with tables: docs/decisions/09-the-table-engine.md.

`python tests/benchmarks/table_engines.py FOLDER` takes the parts that sales.py wrote, in an environment with all three.
Every task runs in a process of its own, on two threads and with a memory limit of 1 GB where the engine knows one.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

LIMIT = "1GB"
NUMBERS = ("price", "sqft_living", "sqft_lot", "lat", "long", "yr_built")


def duckdb_tasks(folder: Path, output: Path) -> dict[str, Callable[[], Any]]:
    import duckdb

    base = duckdb.connect()
    base.execute(f"SET memory_limit='{LIMIT}'; SET threads=2; SET temp_directory='{output}'")
    base.execute("SET preserve_insertion_order=false")
    sales = f"read_parquet('{folder}/*.parquet')"
    medians = ", ".join(f"median({name})" for name in NUMBERS)

    def join() -> Any:
        base.execute(
            f"CREATE TABLE learned AS SELECT zipcode, avg(ln(price / sqft_living)) AS worth FROM {sales} GROUP BY 1"
        )
        base.execute(f"COPY (SELECT * FROM {sales} JOIN learned USING (zipcode)) TO '{output}/out.parquet'")

    return {
        "rules": lambda: base.execute(
            f"SELECT count(*) FROM {sales} WHERE bedrooms NOT BETWEEN 1 AND 15 OR year(date) < yr_built "
            "OR sqft_above + sqft_basement <> sqft_living"
        ).fetchall(),
        "unique": lambda: base.execute(
            f"SELECT count(*) FROM (SELECT id, date FROM {sales} GROUP BY 1, 2 HAVING count(*) > 1)"
        ).fetchall(),
        "group-by": lambda: base.execute(
            f"SELECT zipcode, sum(ln(price / sqft_living)), count(*) FROM {sales} GROUP BY 1"
        ).fetchall(),
        "medians": lambda: base.execute(f"SELECT {medians} FROM {sales}").fetchall(),
        "join and write": join,
        "sort by hash": lambda: base.execute(
            f"COPY (SELECT * FROM {sales} ORDER BY hash(id, date)) TO '{output}/sorted.parquet'"
        ),
    }


def polars_tasks(folder: Path, output: Path) -> dict[str, Callable[[], Any]]:
    import polars as pl

    sales = pl.scan_parquet(f"{folder}/*.parquet")
    worth = (pl.col("price") / pl.col("sqft_living")).log()

    def collected(frame: Any) -> Any:
        return frame.collect(engine="streaming")

    return {
        "rules": lambda: collected(
            sales.filter(
                ~pl.col("bedrooms").is_between(1, 15)
                | (pl.col("date").dt.year() < pl.col("yr_built"))
                | (pl.col("sqft_above") + pl.col("sqft_basement") != pl.col("sqft_living"))
            ).select(pl.len())
        ),
        "unique": lambda: collected(sales.group_by("id", "date").len().filter(pl.col("len") > 1).select(pl.len())),
        "group-by": lambda: collected(sales.group_by("zipcode").agg(worth.sum(), pl.len())),
        "medians": lambda: collected(sales.select(pl.col(name).median() for name in NUMBERS)),
        "join and write": lambda: sales.join(
            sales.group_by("zipcode").agg(worth.mean().alias("worth")), on="zipcode"
        ).sink_parquet(output / "out.parquet"),
        "sort by hash": lambda: (
            sales.with_columns(pl.struct("id", "date").hash().alias("hash"))
            .sort("hash")
            .sink_parquet(output / "sorted.parquet")
        ),
    }


def pandas_tasks(folder: Path, output: Path) -> dict[str, Callable[[], Any]]:
    import numpy as np
    import pandas as pd

    def read(*columns: str) -> pd.DataFrame:
        return pd.read_parquet(folder, columns=list(columns) or None)

    def rules() -> int:
        rows = read("bedrooms", "date", "yr_built", "sqft_above", "sqft_basement", "sqft_living")
        bad = ~rows["bedrooms"].between(1, 15) | (pd.to_datetime(rows["date"]).dt.year < rows["yr_built"])
        return int((bad | (rows["sqft_above"] + rows["sqft_basement"] != rows["sqft_living"])).sum())

    def grouped() -> Any:
        rows = read("zipcode", "price", "sqft_living")
        return np.log(rows["price"] / rows["sqft_living"]).groupby(rows["zipcode"]).agg(["sum", "count"])

    def join() -> None:
        worth = grouped()
        rows = read()
        rows.assign(worth=rows["zipcode"].map(worth["sum"] / worth["count"])).to_parquet(output / "out.parquet")

    return {
        "rules": rules,
        "unique": lambda: int(read("id", "date").duplicated().sum()),
        "group-by": grouped,
        "medians": lambda: read(*NUMBERS).median(),
        "join and write": join,
        "sort by hash": lambda: (
            read()
            .pipe(lambda rows: rows.iloc[np.argsort(pd.util.hash_pandas_object(rows[["id", "date"]]).to_numpy())])
            .to_parquet(output / "sorted.parquet")
        ),
    }


ENGINES = {"duckdb": duckdb_tasks, "polars": polars_tasks, "pandas": pandas_tasks}
TASKS = ("rules", "unique", "group-by", "medians", "join and write", "sort by hash")


def one(engine: str, task: str, folder: Path) -> None:
    """Run one task; print its seconds."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        run = ENGINES[engine](folder, Path(scratch))[task]
        began = time.perf_counter()
        run()
        print(json.dumps({"seconds": time.perf_counter() - began}))


def main() -> None:
    """Run every task with every engine; print a table of seconds and peak memory."""
    folder = Path(sys.argv[1]).resolve()
    if len(sys.argv) > 2:
        return one(sys.argv[2], sys.argv[3], folder)
    for task in TASKS:
        cells = []
        for engine in ENGINES:
            environment = {**os.environ, "POLARS_MAX_THREADS": "2"}
            command = [sys.executable, __file__, str(folder), engine, task]
            process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
            )
            output, said = process.stdout.read(), process.stderr.read()  # type: ignore[union-attr]
            _, status, usage = os.wait4(process.pid, 0)
            seconds = f"{json.loads(output)['seconds']:.1f} s" if status == 0 else said.strip().splitlines()[-1][:60]
            cells.append(f"{engine} {seconds}, {usage.ru_maxrss / 1e6:.2f} GB")
        print(f"| {task} | {' | '.join(cells)} |", flush=True)
    return None


if __name__ == "__main__":
    main()
