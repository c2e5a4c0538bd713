"""What monitoring compares with, kept beside the evaluation: test rows with their predictions, and what is known.

No column goes there that the model does not need, but the date and what the segments are made of.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from evaluation.measurement import Scored
from steps.artifacts import write_parquet
from steps.data_settings import DataSettings

ROWS, KEYS = "test.parquet", "seen.parquet"
PREDICTED, LOWER, UPPER = "prediction", "lower", "upper"


def keep_reference(scored: Scored, seen: Path, folder: Path, data: DataSettings) -> None:
    """Write ROWS (raw columns, the target, prediction and interval), and KEYS (column key) of what training has seen.

    `seen` is what Preprocess writes; a version of before has none, and then there is no KEYS.
    """
    answers = {PREDICTED: scored.challenger, LOWER: scored.interval[0], UPPER: scored.interval[1]}
    write_parquet(folder / ROWS, monitored(scored.rows, data).assign(**answers))
    if seen.is_file():
        write_parquet(folder / KEYS, pd.read_parquet(seen))


def monitored(rows: pd.DataFrame, data: DataSettings) -> pd.DataFrame:
    """The columns of typed raw rows that monitoring may see: no text that is there for people or as an identity."""
    wanted = [name for name in rows if name in data.inputs or (name in data.columns and data.types[name] != "text")]
    return rows[wanted]
