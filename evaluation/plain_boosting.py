"""What anybody would try first: scikit-learn's HistGradientBoosting with obvious preprocessing, on the same rows.

It keeps the registered model honest: where that is worse than this by more than chance, its settings cost accuracy.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from steps.data_settings import DataSettings

NAME = "plain_boosting"
MOST_ROWS = 200_000  # to learn from; of more rows an even draw
MOST_LEVELS = 254  # that HistGradientBoosting takes; of more, the most frequent ones


def predictions(train: pd.DataFrame, rows: pd.DataFrame, data: DataSettings) -> np.ndarray:
    """Fit on typed raw training rows and predict other rows, one number each in the target's unit.

    It has the columns that are features as they are, categories as such, and the library's own defaults. With
    target_scale: log it learns the logarithm, as the registered model does.
    """
    from sklearn.ensemble import HistGradientBoostingRegressor
    from sklearn.utils.parallel import _get_threadpool_controller

    train = train.iloc[drawn(len(train))]
    known, new = obvious(train, rows, data)
    target = train[data.target].to_numpy(dtype=float)
    log = data.target_scale == "log"
    model = HistGradientBoostingRegressor(categorical_features="from_dtype", random_state=0)
    # Its threads spin while they wait: where something else has the cores, two take fifty times as long as one.
    with _get_threadpool_controller().limit(limits=1, user_api="openmp"):
        predicted = np.asarray(model.fit(known, np.log(target) if log else target).predict(new), dtype=float)
    return np.exp(predicted) if log else predicted


def drawn(rows: int) -> np.ndarray:
    """The places of the training rows to learn from: all, or an even draw."""
    return np.linspace(0, rows - 1, min(rows, MOST_ROWS)).astype(int)


def obvious(train: pd.DataFrame, rows: pd.DataFrame, data: DataSettings) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both tables with the columns that a model can use: floats, days since 1970 of dates, categories of pandas.

    What is derived or learned from targets is left out; a file of dates and texts alone leaves a column of zeros.
    """
    found: tuple[dict[str, pd.Series], ...] = ({}, {})
    for name, column in data.columns.items():
        if name == data.target or column.type == "text" or not (column.feature or column.type == "date"):
            continue
        if column.type == "category":
            levels = pd.CategoricalDtype(sorted(train[name].value_counts().index[:MOST_LEVELS]))
        for table, columns in zip((train, rows), found, strict=True):
            values = table[name]
            if column.type == "category":
                columns[name] = values.astype(levels)
            elif column.type == "date":
                columns[name] = (values - pd.Timestamp("1970-01-01")) / pd.Timedelta(days=1)
            else:
                columns[name] = values.astype(float)
    if not found[0]:
        found = ({"none": pd.Series(0.0, index=train.index)}, {"none": pd.Series(0.0, index=rows.index)})
    return pd.DataFrame(found[0]), pd.DataFrame(found[1])
