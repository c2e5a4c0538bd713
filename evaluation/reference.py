"""What monitoring compares with, kept beside the evaluation: test rows with their predictions, and what is known.

No column goes there that the model does not need, but the date and what the segments are made of.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from evaluation.measurement import Scored
from steps.artifacts import replacing
from steps.data_settings import DataSettings
from steps.long_table import write_long

ROWS, KEYS = "test.parquet", "seen.parquet"
PREDICTED, LOWER, UPPER = "prediction", "lower", "upper"


def keep_reference(scored: Scored, seen: Path, folder: Path, data: DataSettings) -> None:
    """Write ROWS (raw columns, the target, prediction and interval), and KEYS (column key) of what training has seen.

    `seen` is what Preprocess writes; a version of before has none, and then there is no KEYS.
    """
    answers = {PREDICTED: scored.challenger, LOWER: scored.interval[0], UPPER: scored.interval[1]}

    def tables() -> Iterator[pd.DataFrame]:
        for place, table in scored.batches():
            yield monitored(table, data).assign(**{name: values[place] for name, values in answers.items()})

    write_long(folder / ROWS, tables())
    if seen.is_file():
        with replacing(folder / KEYS) as path:
            shutil.copyfile(seen, path)


def monitored(rows: pd.DataFrame, data: DataSettings) -> pd.DataFrame:
    """The columns of typed raw rows that monitoring may see: no text that is there for people or as an identity."""
    wanted = [name for name in rows if name in data.inputs or (name in data.columns and data.types[name] != "text")]
    return rows[wanted]
