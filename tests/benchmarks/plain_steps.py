"""The steps as a plain script: pandas, scikit-learn and xgboost on whole tables, in one process for each step.

`python tests/benchmarks/plain_steps.py STEP RAW WORK` does the work of one step of the default pipeline on the files
that sales.py writes: the same rules, features, trees and measures, without the report, the checks and the care for
memory.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xgboost
import yaml
from sklearn.metrics import r2_score, root_mean_squared_error
from sklearn.neighbors import NearestNeighbors

CONFIGURATION = Path(__file__).resolve().parents[2] / "pipelines" / "house_prices.yaml"
ROUNDS = 100
TARGET, KEY = "price", ["id", "date"]
RENOVATED = ("yr_built", "yr_renovated")
PARAMETERS = {"tree_method": "hist", "max_depth": 6, "eta": 0.05, "subsample": 0.8, "colsample_bytree": 0.5}
QUANTILES = {"objective": "reg:quantileerror", "quantile_alpha": [0.05, 0.95]}


def columns() -> dict[str, Any]:
    """The columns of the YAML with their ranges."""
    found: dict[str, Any] = yaml.safe_load(CONFIGURATION.read_text(encoding="utf-8"))["data"]["columns"]
    return found


def broken_rows(table: pd.DataFrame) -> pd.DataFrame:
    """Which rows break which rule of single rows (rows, rules)."""
    year = table["date"].dt.year
    found = {f"{name} missing": table[name].isna() for name in table}
    for name, column in columns().items():
        if "range" in column:
            found[name] = ~table[name].between(*column["range"])
    found |= {f"sold before {name}": year < table[name] for name in RENOVATED}
    found["parts"] = table["sqft_above"] + table["sqft_basement"] != table["sqft_living"]
    found["zipcode"] = ~table["zipcode"].str.fullmatch("98[0-9]{3}")
    return pd.DataFrame(found)


def typed(table: pd.DataFrame) -> pd.DataFrame:
    """The columns as the YAML types them."""
    texts = {name: table[name].astype(str).str.zfill(width) for name, width in (("id", 10), ("zipcode", 5))}
    return table.assign(**texts, date=pd.to_datetime(table["date"]))


def validate(raw: Path, work: Path) -> None:
    """Accepted and rejected rows."""
    table = typed(pd.concat(map(pd.read_parquet, sorted(raw.glob("*.parquet"))), ignore_index=True))
    broken = broken_rows(table).assign(again=table.duplicated(KEY, keep=False))
    rejected = broken.any(axis=1)
    reasons = broken[rejected].apply(lambda row: "; ".join(broken.columns[row]), axis=1)
    table[rejected].assign(reasons=reasons).to_csv(work / "rejected.csv", index=False)
    table[~rejected].to_parquet(work / "accepted.parquet", index=False)


def derived(table: pd.DataFrame) -> pd.DataFrame:
    """The features that a row has by itself."""
    year = table["date"].dt.year
    km = {
        name: _km(table, *place) for name, place in {"seattle": (47.61, -122.335), "bellevue": (47.615, -122.2)}.items()
    }
    return table.drop(columns=["id", "date"]).assign(
        day_of_sale=(table["date"] - pd.Timestamp("1970-01-01")).dt.days,
        age=year - table["yr_built"],
        renovated=table["yr_renovated"] > 0,
        years_since_work=year - table[list(RENOVATED)].max(axis=1),
        size_to_neighbours=table["sqft_living"] / table["sqft_living15"],
        lot_to_neighbours=table["sqft_lot"] / table["sqft_lot15"],
        living_to_lot=table["sqft_living"] / table["sqft_lot"],
        north_east=table["lat"] + table["long"],
        north_west=table["lat"] - table["long"],
        km_to_seattle=km["seattle"],
        km_to_bellevue=km["bellevue"],
    )


def _km(table: pd.DataFrame, lat: float, long: float) -> pd.Series:
    a, b = np.radians(table["lat"]), np.radians(lat)
    half = np.sin((a - b) / 2) ** 2 + np.cos(a) * np.cos(b) * np.sin(np.radians(table["long"] - long) / 2) ** 2
    return 2 * 6371.0088 * np.arcsin(np.sqrt(half))


def split(ids: pd.Series) -> pd.Series:
    """The part of each row: 70 % train, 10 % validation, 20 % test, by a hash of the id."""
    share = pd.util.hash_pandas_object(ids, index=False) / 2.0**64
    return pd.Series(np.select([share < 0.7, share < 0.8], ["train", "validation"], "test"), index=ids.index)


def preprocess(_raw: Path, work: Path) -> None:
    """Train, validation and test with all features."""
    table = pd.read_parquet(work / "accepted.parquet")
    parts, features = split(table["id"]), derived(table)
    value = np.log(features[TARGET] / features["sqft_living"])
    train = parts == "train"
    by_zip = value[train].groupby(features["zipcode"][train])
    sums, counts = by_zip.sum(), by_zip.count()
    own = np.where(train, value, 0.0)  # a training row's own target stays out of its features
    zips = features["zipcode"]
    total, count = zips.map(sums).fillna(0) - own, zips.map(counts).fillna(0) - train
    features["price_of_zipcode"] = (total + 10 * value[train].mean()) / (count + 10)
    features["price_nearby"] = _nearby(features, value, train)
    features["zipcode"] = zips.astype("category").cat.codes
    for name in ("train", "validation", "test"):
        features[parts == name].to_parquet(work / f"{name}.parquet", index=False)


def _nearby(features: pd.DataFrame, value: pd.Series, train: pd.Series) -> np.ndarray:
    places = features[["lat", "long"]].to_numpy() * [111.2, 75]
    index = NearestNeighbors(n_neighbors=16, algorithm="kd_tree", n_jobs=-1).fit(places[train])
    distances, rows = index.kneighbors(places)
    weights = 1 / (distances + 0.1)
    weights[distances == 0] = 0  # the row itself
    return np.asarray((weights * value[train].to_numpy()[rows]).sum(axis=1) / np.maximum(weights.sum(axis=1), 1e-9))


def _matrix(path: Path, like: xgboost.DMatrix | None = None) -> xgboost.DMatrix:
    table = pd.read_parquet(path)
    return xgboost.QuantileDMatrix(table.drop(columns=TARGET), np.log(table[TARGET]), ref=like)


def train(_raw: Path, work: Path) -> None:
    """The trees of the prediction and of the bounds."""
    rows = _matrix(work / "train.parquet")
    held = [(_matrix(work / "validation.parquet", rows), "validation")]
    for name, more in {"price": {}, "bounds": QUANTILES}.items():
        booster = xgboost.train(PARAMETERS | more, rows, ROUNDS, evals=held, verbose_eval=False)
        booster.save_model(work / f"{name}.ubj")


def evaluate(_raw: Path, work: Path) -> None:
    """Errors with intervals of a bootstrap, coverage, and Shapley values of a sample."""
    table = pd.read_parquet(work / "test.parquet")
    inputs, actual = table.drop(columns=TARGET), table[TARGET].to_numpy(dtype=float)
    boosters = {name: xgboost.Booster(model_file=work / f"{name}.ubj") for name in ("price", "bounds")}
    predicted, bounds = (np.exp(each.inplace_predict(inputs)) for each in boosters.values())
    random = np.random.default_rng(0)
    draws = [random.integers(0, len(actual), len(actual)) for _ in range(200)]
    print(
        r2_score(actual, predicted),
        np.quantile([root_mean_squared_error(actual[d], predicted[d]) for d in draws], [0.025, 0.975]),
    )
    print(np.mean((bounds[:, 0] <= actual) & (actual <= bounds[:, 1])))
    boosters["price"].predict(
        xgboost.DMatrix(inputs.sample(min(2000, len(inputs)), random_state=0)), pred_contribs=True
    )


STEPS = {"ValidateData": validate, "Preprocess": preprocess, "Train": train, "Evaluate": evaluate}

if __name__ == "__main__":
    STEPS[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))
