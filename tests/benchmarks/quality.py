"""`make quality`: how good the model is on the default data, over several seeds; exit code 1 where a bar is missed.

It trains the candidates as the jobs do, with the functions of the jobs. Each seed is the seed of the hash split and of
the boosting at once, so the standard deviation holds both; by time the test part is one, and its seed draws the
validation part.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
# Threads that wait sleep: on a machine that does something else too, spinning ones take ten times as long.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from pipelines.settings.settings import load_settings  # noqa: E402
from steps import features as feature_module  # noqa: E402
from steps.estimators import Estimator, predictions  # noqa: E402
from steps.features import Features  # noqa: E402
from steps.fitting import fit_transform  # noqa: E402
from steps.hyperparameters import HYPERPARAMETERS  # noqa: E402
from steps.interval import coverage  # noqa: E402
from steps.metrics import regression_metrics  # noqa: E402
from steps.row_source import InMemory  # noqa: E402
from steps.settings import JobSettings, SplitSettings  # noqa: E402
from steps.split import split  # noqa: E402
from steps.train import fit  # noqa: E402
from steps.validate import validate  # noqa: E402

SEEDS = range(5)
SHARES = (0.1, 0.2, 0.4, 0.6, 0.8, 1.0)
OTHERS = {
    "ridge": Estimator(estimator="sklearn.linear_model.Ridge"),
    "nearest neighbours": Estimator(estimator="sklearn.neighbors.KNeighborsRegressor", parameters={"n_neighbors": 10}),
    "random forest": Estimator(
        estimator="sklearn.ensemble.RandomForestRegressor", parameters={"n_jobs": 2, "max_features": 0.4}
    ),
    "gradient boosting": Estimator(
        estimator="sklearn.ensemble.HistGradientBoostingRegressor", parameters={"max_iter": 500, "learning_rate": 0.05}
    ),
}
# split -> metric -> (limit, whether more is better); coverage has limits on both sides
BARS: dict[str, dict[str, tuple[float, float]]] = {
    "hash": {"r2": (0.905, 1.0), "mape": (0.0, 0.110), "coverage": (0.88, 0.92)},
    "time": {"r2": (0.89, 1.0), "mape": (0.0, 0.120)},
}


@dataclass(frozen=True)
class Parts:
    """The tables of one split: features with the target, and the raw test rows' target."""

    features: Features
    train: pd.DataFrame
    validation: pd.DataFrame
    test: pd.DataFrame

    @classmethod
    def of(cls, rows: pd.DataFrame, settings: JobSettings, chosen: SplitSettings, share: float = 1.0) -> Parts:
        """Split and compute the features; `share` of the training rows are kept, the others forgotten."""
        parts = split(rows, settings.data, chosen)
        kept = parts["train"].sample(frac=share, random_state=chosen.seed).sort_index() if share < 1 else parts["train"]
        fitted, train = fit_transform(kept.reset_index(drop=True), settings.data)
        target = fitted.target
        tables = [
            feature_module.transform(parts[name], fitted).assign(**{target: parts[name][target]})
            for name in ("validation", "test")
        ]
        return cls(fitted, train.assign(**{target: kept[target].to_numpy()}), *tables)

    def without(self, names: Iterable[str]) -> Parts:
        """The same without some features."""
        left = tuple(name for name in self.features.names if name not in set(names))
        levels = {name: known for name, known in self.features.levels.items() if name in left}
        tables = (part[[*left, self.features.target]] for part in (self.train, self.validation, self.test))
        return Parts(replace(self.features, names=left, levels=levels), *tables)


def measure(parts: Parts, hyperparameters: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Train, and return candidate -> metric on the test part."""
    model, _ = fit(parts.train, parts.validation, parts.features, dict(hyperparameters))
    table = parts.test[list(parts.features.names)]
    actual = parts.test[parts.features.target].to_numpy(dtype=float)
    predicted = {name: model.predict_features(table, name) for name in ("xgboost", "linear")}
    measured = {name: regression_metrics(actual, values) for name, values in predicted.items()}
    lower, upper = model.interval_features(table, predicted["xgboost"])
    measured["xgboost"]["coverage"] = coverage(actual, lower, upper)
    measured["xgboost"]["width"] = float(np.median((upper - lower) / predicted["xgboost"]))
    return measured


@dataclass(frozen=True)
class Experiment:
    """The data and settings that all measurements share."""

    rows: pd.DataFrame
    settings: JobSettings
    hyperparameters: Mapping[str, Any]

    def run(
        self, by: str, seeds: Iterable[int], without: Iterable[str] = (), share: float = 1.0
    ) -> dict[str, list[dict[str, float]]]:
        """Candidate -> its metrics, one entry per seed."""
        found: dict[str, list[dict[str, float]]] = {"xgboost": [], "linear": []}
        for seed in seeds:
            chosen = replace(self.settings.split, by=by, seed=seed)
            parts = Parts.of(self.rows, self.settings, chosen, share).without(without)
            for name, metrics in measure(parts, {**self.hyperparameters, "seed": seed}).items():
                found[name].append(metrics)
        return found


def text(runs: list[dict[str, float]], metric: str) -> str:
    """Mean and standard deviation over the seeds, as a person reads them."""
    values = np.array([metrics[metric] for metrics in runs])
    deviation = values.std(ddof=1) if len(values) > 1 else 0.0
    if metric in ("mape", "coverage", "width"):
        return f"{values.mean():.2%} ± {deviation:.2%}"
    return f"{values.mean():.4f} ± {deviation:.4f}" if metric == "r2" else f"{values.mean():,.0f} ± {deviation:,.0f}"


def markdown(head: Iterable[str], lines: Iterable[Iterable[str]]) -> str:
    """A table as docs/quality.md has it."""
    rows = [list(head), *map(list, lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    padded = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    return "\n".join([padded[0], "| " + " | ".join("-" * width for width in widths) + " |", *padded[1:]]) + "\n"


def bars(experiment: Experiment, seeds: Iterable[int]) -> list[str]:
    """Print both splits with their bars; return the bars that are missed."""
    lines, missed = [], []
    for by, limits in BARS.items():
        found = experiment.run(by, seeds)
        for name in ("xgboost", "linear"):
            interval = (
                [text(found[name], metric) for metric in ("coverage", "width")] if name == "xgboost" else ["", ""]
            )
            lines.append([by, name, *(text(found[name], metric) for metric in ("r2", "mape", "rmse")), *interval])
        for metric, (low, high) in limits.items():
            mean = float(np.mean([metrics[metric] for metrics in found["xgboost"]]))
            if not low <= mean <= high:
                missed.append(f"{by}: {metric} is {mean:.4f}, not from {low:g} to {high:g}")
    print(markdown(["split", "candidate", "R2", "MAPE", "RMSE", "coverage of 90 %", "median width"], lines))
    return missed


def candidates(experiment: Experiment, seeds: Iterable[int]) -> None:
    """Print some regressors of scikit-learn on the same features and the same test rows."""
    found: dict[str, list[dict[str, float]]] = {name: [] for name in OTHERS}
    for seed in seeds:
        parts = Parts.of(experiment.rows, experiment.settings, replace(experiment.settings.split, by="hash", seed=seed))
        table = parts.test[list(parts.features.names)]
        actual = parts.test[parts.features.target].to_numpy(dtype=float)
        for name, predicted in predictions(OTHERS, parts.train, InMemory(table), parts.features).items():
            found[name].append(regression_metrics(actual, predicted))
    lines = [[name, *(text(runs, metric) for metric in ("r2", "mape", "rmse"))] for name, runs in found.items()]
    print(markdown(["candidate", "R2", "MAPE", "RMSE"], lines))


def ablation(experiment: Experiment, seeds: Iterable[int]) -> None:
    """Print what is lost without each group of features."""
    full = experiment.run("hash", seeds)
    lines = [["none", *_pair(full)]]
    for group, names in experiment.settings.data.feature_groups.items():
        lines.append([group, *_pair(experiment.run("hash", seeds, without=names))])
    derived = [*experiment.settings.data.derived, *experiment.settings.data.learned]
    lines.append(["all derived and learned", *_pair(experiment.run("hash", seeds, without=derived))])
    print(markdown(["without", "R2", "MAPE", "R2 of the line", "MAPE of the line"], lines))


def _pair(found: Mapping[str, list[dict[str, float]]]) -> list[str]:
    return [text(found[name], metric) for name in ("xgboost", "linear") for metric in ("r2", "mape")]


def learning_curve(experiment: Experiment, seeds: Iterable[int]) -> None:
    """Print the error with a share of the training rows."""
    rows = len(split(experiment.rows, experiment.settings.data, experiment.settings.split)["train"])
    lines = [[f"{share * rows:,.0f}", *_pair(experiment.run("hash", seeds, share=share))] for share in SHARES]
    print(markdown(["training rows", "R2", "MAPE", "R2 of the line", "MAPE of the line"], lines))


def main() -> int:
    """Measure what the arguments name, by default the bars."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", choices=["bars", "candidates", "ablation", "curve"], default=["bars"])
    parser.add_argument("--config", type=Path, default=ROOT / "pipelines" / "house_prices.yaml")
    parser.add_argument("--data", type=Path, default=ROOT / "data" / "house_prices.parquet")
    parser.add_argument("--seeds", type=int, default=len(SEEDS))
    options = parser.parse_args()
    configured = load_settings(options.config)
    settings = JobSettings.from_json(configured.for_jobs())
    with tempfile.TemporaryDirectory() as folder:
        validate(options.data, Path(folder), settings)
        rows = pd.read_parquet(Path(folder) / "validated" / "data.parquet")
    hyperparameters = {name: each.default for name, each in HYPERPARAMETERS.items()}
    hyperparameters |= configured.candidates.xgboost.model_dump() | {"coverage": configured.interval.coverage}
    experiment = Experiment(rows, settings, hyperparameters)
    seeds = range(options.seeds)
    missed = bars(experiment, seeds) if "bars" in options.what else []
    if "candidates" in options.what:
        candidates(experiment, seeds)
    if "ablation" in options.what:
        ablation(experiment, seeds)
    if "curve" in options.what:
        learning_curve(experiment, seeds)
    for sentence in missed:
        print(f"MISSED {sentence}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
