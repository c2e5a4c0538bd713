"""The model directory: what training leaves, and what evaluation and serving load. Data only, no pickles."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from steps import boosting
from steps import features as feature_module
from steps.artifacts import write_bytes, write_json, write_text, write_with
from steps.batches import by_batch
from steps.boosting import by_row, categories_of, matrix, xgboost
from steps.columns import Columns
from steps.comparables import FILE as COMPARABLES
from steps.comparables import SETTINGS as COMPARABLES_SETTINGS
from steps.comparables import Comparables
from steps.failure import JobError
from steps.features import Features
from steps.identity import identity
from steps.interval import Interval
from steps.interval import from_json as interval_from_json
from steps.linear import LinearModel
from steps.other_libraries import LIBRARIES, XGBOOST
from steps.other_trees import OtherTrees, hash_of, loaded
from steps.quantile_interval import QuantileInterval
from steps.stored_table import Table

CODE_WHEELS = "code/wheels"  # what the library of the trees that predict needs beside the image, and its list
CANDIDATES = (XGBOOST, "linear")  # that every model holds
# Of the model directory, as model.json says; older ones are read too. 1: boosting starts from the line, a category is a
# number for the trees and nothing is missing; what the training rows held is not known. 2: the interval has quantiles.
FORMAT = 3
# The format of a model whose trees are another library's: code that does not know them must not predict by XGBoost's.
FORMAT_OF_OTHERS = 4
TREES_HASH = "trees_sha256"  # in model.json, of the file of the other library's trees


@dataclass(frozen=True)
class Model:
    """A trained model: the features and the candidates that use them; metadata as in model.json.

    threads: the most that a prediction takes; None is XGBoost's own default. comparables: training rows to tell of.
    other: trees of another library, which predict in place of XGBoost's where they were better on the validation part.
    `identity` is the hash of the directory that it was loaded from, see steps/identity.py.
    """

    features: Features
    booster: xgboost.Booster
    linear: LinearModel
    interval: Interval | QuantileInterval
    metadata: dict[str, Any]
    identity: str = ""

    threads: int | None = None
    comparables: Comparables | None = None
    other: OtherTrees | None = None

    @property
    def library(self) -> str:
        """The candidate that predicts."""
        return XGBOOST if self.other is None else self.other.library

    @property
    def candidates(self) -> tuple[str, ...]:
        """The candidates that the model holds, the one that predicts first."""
        return tuple(dict.fromkeys((self.library, *CANDIDATES)))

    def predict(self, rows: pd.DataFrame, candidate: str | None = None) -> np.ndarray:
        """Predict the target of typed raw rows, one number per row in the target's unit."""
        return self.predict_features(feature_module.transform(rows, self.features), candidate)

    def predict_features(self, table: Table, candidate: str | None = None) -> np.ndarray:
        """Predict from features that are computed already; `candidate` is one of `candidates`, by default the first."""
        values = table.values
        return by_batch(lambda rows: self._predicted(values[rows], candidate), len(values))

    def _predicted(self, table: np.ndarray, candidate: str | None) -> np.ndarray:
        if candidate == "linear":
            return self.features.unscaled(self._line(table))
        values, start = self._of_trees(table)
        if candidate == XGBOOST:
            return self.features.unscaled(boosting.predict(self.booster, values, start, self.threads))
        return self._boosted(values, start)

    def contributions(self, table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Shapley values of the trees that predict, for a table of features, and what boosting starts from (rows,).

        The values are (rows, features + 1), on the training scale; the last column is what is expected of any row,
        with what boosting starts from.
        """
        values, start = self._of_trees(table.to_numpy())
        if self.other is not None:
            return self.other.contributions(values.astype(float), start), start
        names = list(map(str, table))
        data = matrix(table.to_numpy(), names, {names[place] for place in self._categories}, start)
        return self.booster.predict(data, pred_contribs=True).astype(float), start

    def predict_interval(self, rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Return lower and upper bounds around the predictions for typed raw rows, in the target's unit.

        `interval.coverage` is the share of actual values that should lie inside, bounds included.
        """
        table = feature_module.transform(rows, self.features)
        return self.interval_features(table, self.predict_features(table))

    def interval_features(self, table: pd.DataFrame, predicted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Bounds from features that are computed already; the `predicted` values themselves lie inside.

        Unlike a prediction, a bound may lie outside the range of the training targets.
        """
        return self._bounds(*self._of_trees(table.to_numpy()), predicted)

    def answer(self, columns: Columns, rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return `predict` and both bounds of `predict_interval` for that many typed raw rows, given as columns."""
        values, start = self._of_trees(self.features.of_columns(columns, rows))
        predicted = self._boosted(values, start)
        return predicted, *self._bounds(values, start, predicted)

    @cached_property
    def start(self) -> LinearModel:
        """What boosting starts from: the line, or the mean of the training targets."""
        mean = self.metadata.get("starting_mean")
        return self.linear if mean is None else LinearModel(mean, {}, {})

    @cached_property
    def _line(self) -> Callable[[np.ndarray], np.ndarray]:
        return self.linear.on(self.features.names)

    @cached_property
    def _start(self) -> Callable[[np.ndarray], np.ndarray]:
        return self.start.on(self.features.names)

    @cached_property
    def _categories(self) -> list[int]:
        return categories_of(self.booster)

    def _of_trees(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Features as the trees take them, and what boosting starts from."""
        return by_row(values, self._categories), self.features.held(self._start(values))

    def _boosted(self, values: np.ndarray, start: np.ndarray) -> np.ndarray:
        if self.other is not None:
            return self.features.unscaled(self.other.predict(values.astype(float), start, self.threads))
        return self.features.unscaled(boosting.predict(self.booster, values, start, self.threads))

    def _bounds(self, values: np.ndarray, start: np.ndarray, predicted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        low, high = self.interval.bounds(values, start, self.features.scaled(predicted), self.threads)
        bounds = (np.exp(low), np.exp(high)) if self.features.target_scale == "log" else (low, high)
        return np.minimum(bounds[0], predicted), np.maximum(bounds[1], predicted)


def save(model: Model, folder: Path) -> None:
    """Write xgboost.ubj, linear.json, interval.ubj, interval.json, features.json and model.json.

    comparables.parquet and comparables.json too, where the model carries training rows; the trees of another library
    that predict in their own text format, with its hash in model.json.
    """
    metadata = model.metadata
    if model.other is not None:
        text = model.other.text()
        write_text(folder / LIBRARIES[model.other.library].file, text)
        metadata = {**metadata, TREES_HASH: hash_of(text)}
    if model.comparables is not None:
        write_bytes(folder / COMPARABLES, model.comparables.content)
        write_json(folder / COMPARABLES_SETTINGS, model.comparables.to_json())
    write_with(folder / "xgboost.ubj", model.booster.save_model)
    write_with(folder / "interval.ubj", model.interval.booster.save_model)
    write_json(folder / "interval.json", model.interval.to_json())
    write_json(folder / "linear.json", model.linear.to_json())
    write_json(folder / "features.json", model.features.to_json(), indent=None)
    write_json(folder / "model.json", metadata)


def load(folder: Path, threads: int | None = None) -> Model:
    """Load a model directory; `threads` limits XGBoost's.

    Raises JobError naming what is missing or broken, or a format that is newer than this code.
    """
    metadata = dict(_read(folder / "model.json"))
    if metadata.get("format") not in range(1, FORMAT_OF_OTHERS + 1):
        raise JobError(
            f"The model's model.json has the format {metadata.get('format')!r}, and this code reads formats up to "
            f"{FORMAT_OF_OTHERS}: use the version of the code that made the model, or a newer one."
        )
    features = Features.from_json(_read(folder / "features.json"))
    linear = LinearModel.from_json(_read(folder / "linear.json"))
    interval = interval_from_json(_read(folder / "interval.json"), _booster(folder / "interval.ubj", threads))
    booster = _booster(folder / "xgboost.ubj", threads)
    found = folder / COMPARABLES
    told = Comparables.from_json(_read(folder / COMPARABLES_SETTINGS), found.read_bytes()) if found.is_file() else None
    library = metadata.get("library", XGBOOST)
    if library != XGBOOST and library not in LIBRARIES:
        raise JobError(f"The model predicts by {library}, which this code does not know: use a newer one.")
    other = None if library == XGBOOST else loaded(folder, library, metadata.get(TREES_HASH))
    return Model(features, booster, linear, interval, metadata, identity(folder), threads, told, other)


def _booster(path: Path, threads: int | None) -> xgboost.Booster:
    if not path.is_file():
        raise JobError(f"The model lacks {path.name}: train it again.")
    booster = xgboost.Booster()
    try:
        booster.load_model(path)
    except xgboost.core.XGBoostError as error:
        raise JobError(f"The model's {path.name} cannot be loaded by XGBoost {xgboost.__version__}.") from error
    if threads:
        booster.set_param({"nthread": threads})
    return booster


def _read(path: Path) -> Mapping[str, Any]:
    try:
        document: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise JobError(f"The model lacks {path.name}: train it again.") from error
    except json.JSONDecodeError as error:
        raise JobError(f"The model's {path.name} is not JSON: {error}.") from error
    return document
