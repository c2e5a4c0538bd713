"""What anybody would try first: scikit-learn's HistGradientBoosting with obvious preprocessing, on the same rows.

It keeps the registered model honest: where that is worse than this by more than chance, its settings cost accuracy.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from steps.data_settings import DataSettings
from steps.row_source import RowSource, even_places

NAME = "plain_boosting"
MOST_ROWS = 200_000  # to learn from; of more rows an even draw
MOST_LEVELS = 254  # that HistGradientBoosting takes; of more, the most frequent ones


def predictions(train: RowSource, rows: RowSource, data: DataSettings) -> np.ndarray:
    """Fit on typed raw training rows and predict other rows, one number each in the target's unit.

    It has the columns that are features as they are, categories as such, and the library's own defaults. With
    target_scale: log it learns the logarithm, as the registered model does.
    """
    from sklearn.ensemble import HistGradientBoostingRegressor
    from sklearn.utils.parallel import _get_threadpool_controller

    known = train.at(even_places(len(train), MOST_ROWS))
    levels = levels_of(known, data)
    target = known[data.target].to_numpy(dtype=float)
    log = data.target_scale == "log"
    model = HistGradientBoostingRegressor(categorical_features="from_dtype", random_state=0)
    # Its threads spin while they wait: where something else has the cores, two take fifty times as long as one.
    with _get_threadpool_controller().limit(limits=1, user_api="openmp"):
        model.fit(obvious(known, data, levels), np.log(target) if log else target)
        found = [model.predict(obvious(batch, data, levels)) for batch in rows.batches()]
    predicted = np.asarray(np.concatenate(found), dtype=float)
    return np.asarray(np.exp(predicted)) if log else predicted


def levels_of(train: pd.DataFrame, data: DataSettings) -> dict[str, pd.CategoricalDtype]:
    """The levels of each category that is learned from."""
    return {
        name: pd.CategoricalDtype(sorted(train[name].value_counts().index[:MOST_LEVELS]))
        for name, column in data.columns.items()
        if column.type == "category" and column.feature and name != data.target
    }


def obvious(rows: pd.DataFrame, data: DataSettings, levels: Mapping[str, pd.CategoricalDtype]) -> pd.DataFrame:
    """The columns that a model can use: floats, days since 1970 of dates, categories of pandas.

    What is derived or learned from targets is left out; a file of dates and texts alone leaves a column of zeros.
    """
    found: dict[str, pd.Series] = {}
    for name, column in data.columns.items():
        if name == data.target or column.type == "text" or not (column.feature or column.type == "date"):
            continue
        values = rows[name]
        if column.type == "category":
            found[name] = values.astype(levels[name])
        elif column.type == "date":
            found[name] = (values - pd.Timestamp("1970-01-01")) / pd.Timedelta(days=1)
        else:
            found[name] = values.astype(float)
    return pd.DataFrame(found or {"none": pd.Series(0.0, index=rows.index)})
