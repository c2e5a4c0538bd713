"""Boost from what a prediction starts from: the mean, the line, or for training rows a line that has not seen them.

Starting from the line, the model goes on where trees alone are flat: beyond the densest part of the data. A line that
has seen the training rows fits them better than new ones, though, and the trees then learn too little; of many
categories and few rows it is worse than the mean. So the default is to try each on the validation part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from steps import linear
from steps.batches import by_batch
from steps.boosting import by_row, xgboost
from steps.checkpoints import NONE, Checkpoints, Told
from steps.features import Features
from steps.hyperparameters import STARTS
from steps.linear import LinearModel
from steps.shard import Shard
from steps.stored_table import Table, in_memory
from steps.training_matrix import Rows, training_matrix

FASTER = 3  # a comparison of starting points learns so many times faster than the model itself
FASTEST = 0.3  # but no faster than this


@dataclass(frozen=True)
class Part:
    """Rows to learn from: features, and targets on the training scale; `start` is what their boosting starts from.

    `shard` says which of all hosts' rows they are.
    """

    table: Table
    target: np.ndarray
    start: np.ndarray
    shard: Shard

    @property
    def rows(self) -> Rows:
        """What trees learn from."""
        return Rows(self.table.values, self.start, self.target)

    def with_rows_of(self, other: Part) -> Part:
        """The rows of both."""
        table = pd.concat([in_memory(self.table), in_memory(other.table)], ignore_index=True)
        both = np.r_[self.target, other.target], np.r_[self.start, other.start]
        return Part(table, *both, self.shard + other.shard)


@dataclass(frozen=True)
class Boosting:
    """How to boost: XGBoost's own parameters, the most rounds, and after how many without progress to stop.

    cache: the folder in which XGBoost keeps the rows that it learns from; None is in memory.
    """

    parameters: Mapping[str, Any]
    rounds: int
    early_stopping_rounds: int
    checkpoints: Checkpoints = NONE
    cache: Path | None = None

    def faster(self) -> Boosting:
        """The same with a few large steps, to compare."""
        rate = self.parameters["learning_rate"]
        quick = {**self.parameters, "learning_rate": max(rate, min(FASTEST, FASTER * rate))}
        return replace(self, parameters=quick, early_stopping_rounds=max(1, self.early_stopping_rounds // FASTER))

    def matrix(
        self,
        tables: Sequence[Rows],
        features: Features,
        like: xgboost.DMatrix | None = None,
        blank: Sequence[int] = (),
    ) -> xgboost.DMatrix:
        """The rows of all tables as trees learn from them, see `training_matrix`."""
        return training_matrix(tables, features, like, blank, self.cache)

    def fit(
        self, train: Part, validation: Part, features: Features, stage: str = "prediction"
    ) -> tuple[xgboost.Booster, float]:
        """Boost until the validation error has not fallen for a while; return the best rounds, and their error.

        The error is the root mean square on the training scale. `stage` names the booster among the checkpoints.
        """
        learned = self.matrix([train.rows], features)
        told = Told(self.matrix([validation.rows], features, like=learned), self.early_stopping_rounds)
        booster = self.checkpoints.boosted(stage, self.parameters, learned, self.rounds, told)
        return booster[: int(booster.best_iteration) + 1], float(booster.best_score)


def rows_of(part: Part, features: Features) -> np.ndarray:
    """A part's features as the trees of other libraries take them."""
    places = [place for place, name in enumerate(features.names) if name in features.levels]
    return by_row(in_memory(part.table).to_numpy(), places).astype(float)


def refit(boosting: Boosting, rounds: int, parts: tuple[Part, Part], features: Features) -> xgboost.Booster:
    """Boost so many rounds on all these rows together: the validation part has told when to stop, and teaches too."""
    data = boosting.matrix([part.rows for part in parts], features)
    return boosting.checkpoints.boosted("prediction-on-all-rows", boosting.parameters, data, rounds)


def start_at(
    name: str, train: Part, validation: Part, features: Features, line: LinearModel, seed: int
) -> tuple[Part, Part]:
    """Both parts with what their boosting starts from; `name` is one of STARTS but auto."""
    if name == "mean":
        mean = float(train.shard.mean(train.target))
        starts = [np.full(len(part.target), mean) for part in (train, validation)]
    else:
        starts = [features.held(line.predict(part.table)) for part in (train, validation)]
        if name == "out_of_fold_line":
            starts[0] = features.held(_out_of_fold(train, features, line.penalty, seed))
    return replace(train, start=starts[0]), replace(validation, start=starts[1])


def best_start(
    train: Part, validation: Part, features: Features, line: LinearModel, boosting: Boosting
) -> tuple[str, dict[str, float]]:
    """The starting point with the lowest error on the validation part, and the error of each on the training scale."""
    quick, seed = boosting.faster(), boosting.parameters["seed"]
    errors = {
        name: quick.fit(*start_at(name, train, validation, features, line, seed), features, f"start-{name}")[1]
        for name in STARTS
        if name != "auto"
    }
    return min(errors, key=errors.__getitem__), errors


def _out_of_fold(train: Part, features: Features, penalty: float, seed: int) -> np.ndarray:
    """For each training row, what a line of the other folds says of it."""
    shard, folds = train.shard, linear.FOLDS
    fold = shard.drawn(lambda random, rows: (random.permutation(rows) % folds).astype(np.int8), seed)
    sums = linear.FoldedSums.of(train.table, train.target, features.levels, fold, shard, features.fill)
    lines = [sums.line(penalty, features.signs, without=number).on(features.names) for number in range(folds)]
    values = train.table.values

    def predicted(batch: slice) -> np.ndarray:
        each = np.array([line(values[batch]) for line in lines])
        return np.asarray(each[fold[batch], np.arange(each.shape[1])])

    return by_batch(predicted, len(fold))
