"""A module's program, with the seconds that it spends inside XGBoost: `python boosters_time.py steps.train ARGUMENTS`.

Counted are matrices, with the batches that they ask for, boosting and predictions. The last line is JSON: `seconds` of
the whole process, from its imports on, and `boosters`.
"""

import json
import os
import runpy
import sys
import time
from collections.abc import Callable
from typing import Any

BEGAN = time.perf_counter()
INSIDE = [0.0]
sys.path.insert(0, os.getcwd())


def timed(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, whose seconds count."""

    def measured(*arguments: Any, **options: Any) -> Any:
        began = time.perf_counter()
        try:
            return function(*arguments, **options)
        finally:
            INSIDE[0] += time.perf_counter() - began

    return measured


def main() -> None:
    """Run the module as its job does, and say what it took."""
    from steps.boosting import xgboost

    for owner, names in (
        (xgboost, ["train"]),
        (xgboost.Booster, ["predict", "inplace_predict", "save_model", "load_model"]),
        (xgboost.QuantileDMatrix, ["__init__"]),
        (xgboost.ExtMemQuantileDMatrix, ["__init__"]),
    ):
        for name in names:
            setattr(owner, name, timed(getattr(owner, name)))
    sys.argv = sys.argv[1:]
    try:
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    finally:
        print(json.dumps({"seconds": time.perf_counter() - BEGAN, "boosters": INSIDE[0]}))


if __name__ == "__main__":
    main()
