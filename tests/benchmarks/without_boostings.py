"""Evaluate without the two boostings of scikit-learn that it compares a model with: `python without_boostings.py ARGS`.

An older commit has none, so this tells how long both take for the same. In place of the boostings stand constants.
"""

import os
import sys

sys.path.insert(0, os.getcwd())

import numpy as np

from evaluation import evaluate
from evaluation.what_helps import MOST_JUDGED
from steps.data_settings import DataSettings
from steps.row_source import RowSource


def constants(train: RowSource, rows: RowSource, data: DataSettings) -> tuple[np.ndarray, np.ndarray]:
    """The median of the target for all test rows, and twice as much for those that are judged: worse than it."""
    median = float(train[data.target].median())
    return np.full(len(rows), median), np.full(min(len(rows), MOST_JUDGED), 2 * median)


if __name__ == "__main__":
    evaluate.from_all_and_half = constants
    evaluate.main(sys.argv[1:])
