"""Cross validation of the algorithm (_kfold, _num_cv_round): a model for each fold, and the predictions of each row."""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

PREDICTIONS = "predictions.csv"
Fit = Callable[[Any, int], tuple[Any, dict[str, Any]]]  # the rows of a fold, its number: a booster, its metrics


@dataclass
class OutOfFold:
    """What was predicted of each row by models that had not seen it, once for each round."""

    labels: Any
    classifies: bool
    rounds: int
    predicted: list[Any] = field(default_factory=list)

    def add(self, predictions: Any) -> None:
        """The predictions of all rows in one round."""
        self.predicted.append(predictions)

    def table(self) -> Any:
        """Label and mean prediction; of classes: label, mean probability, most frequent class."""
        if not self.classifies:
            return np.vstack([self.labels, np.mean(self.predicted, axis=0)]).T
        from scipy import stats

        classes, likelihoods = zip(*map(_classes, self.predicted), strict=True)
        return np.vstack([self.labels, np.mean(likelihoods, axis=0), stats.mode(classes, axis=0).mode]).T


def cross_validated(
    data: Any, config: Mapping[str, Any], folds: int, rounds: int, classifies: bool, fit: Fit, output: str
) -> list[Any]:
    """The boosters of all folds of all rounds; the metrics are logged, the predictions written to `output`."""
    boosters: list[Any] = []
    metrics: list[dict[str, Any]] = []
    found = OutOfFold(data.get_label(), classifies, rounds)
    for number in range(rounds):
        predictions: Any = None
        for train, test in _splits(data, folds, classifies):
            booster, history = fit(data.slice(train), len(boosters))
            boosters.append(booster)
            metrics.append(history)
            some = booster.predict(data.slice(test))
            if predictions is None:
                predictions = np.zeros((data.num_row(), *some.shape[1:]))
            predictions[test] = some
        found.add(predictions)
        print(f"The metrics of round {number + 1} cross validation", flush=True)
        _print(config["num_round"], metrics[-folds:])
    if rounds > 1:
        print(f"The overall metrics of {rounds}-round cross validation", flush=True)
        _print(config["num_round"], metrics)
    os.makedirs(output, exist_ok=True)
    np.savetxt(Path(output) / PREDICTIONS, found.table(), delimiter=",", fmt="%f")
    return boosters


def _splits(data: Any, folds: int, stratified: bool) -> Iterator[tuple[Any, Any]]:
    from sklearn.model_selection import KFold, StratifiedKFold

    labels = data.get_label()
    split = (StratifiedKFold if stratified else KFold)(n_splits=folds, shuffle=True)
    return iter(split.split(np.zeros(len(labels)), labels))


def _classes(predictions: Any) -> tuple[Any, Any]:
    """The class of each row, and how likely it is."""
    if predictions.ndim > 1:
        classes = np.argmax(predictions, axis=-1)
        return classes, predictions[np.arange(len(classes)), classes]
    return (predictions > 0.5).astype(int), predictions


def _print(rounds: int, metrics: list[dict[str, Any]]) -> None:
    line = f"[{rounds}]"
    for metric in metrics[0]["train"]:
        for data in metrics[0]:
            line += f"#011{data}-{metric}:{np.mean([each[data][metric][-1] for each in metrics]):.5f}"
    print(line, flush=True)
