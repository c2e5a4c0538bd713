"""Which other libraries of trees the YAML can name, and their hyperparameters. Imports no library."""

from __future__ import annotations

from typing import NamedTuple

from steps.hyperparameters import UNLIMITED, Hyperparameter

XGBOOST = "xgboost"  # the candidate that always is there


class Library(NamedTuple):
    """title: for people. package: its distribution, and its import. file: what holds its trees in a model directory.

    hyperparameters: by the names that the library itself has; rounds, early stopping, seed and threads are XGBoost's.
    """

    title: str
    package: str
    file: str
    hyperparameters: dict[str, Hyperparameter]


LIBRARIES = {
    "lightgbm": Library(
        "LightGBM",
        "lightgbm",
        "lightgbm.txt",
        {
            "learning_rate": Hyperparameter(float, 0.05, 1e-6, 1),
            "num_leaves": Hyperparameter(int, 31, 2, 131072),
            "min_data_in_leaf": Hyperparameter(int, 20, 0, 1_000_000),
            "feature_fraction": Hyperparameter(float, 0.8, 1e-6, 1),
            "bagging_fraction": Hyperparameter(float, 0.8, 1e-6, 1),
            "bagging_freq": Hyperparameter(int, 1, 0, 1_000_000),
            "lambda_l2": Hyperparameter(float, 1.0, 0, UNLIMITED),
        },
    ),
    "catboost": Library(
        "CatBoost",
        "catboost",
        "catboost.json",
        {
            "learning_rate": Hyperparameter(float, 0.05, 1e-6, 1),
            "depth": Hyperparameter(int, 6, 1, 16),
            "l2_leaf_reg": Hyperparameter(float, 3.0, 0, UNLIMITED),
        },
    ),
}
