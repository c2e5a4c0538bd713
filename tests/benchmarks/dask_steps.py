"""The first two steps with Dask's DataFrame, a partition for a file.

`python tests/benchmarks/dask_steps.py STEP RAW WORK` reads what sales.py writes.

The rules and features of a row are those of plain_steps.py. Needs the packages of engines-requirements.txt.
"""

import sys
from pathlib import Path

import dask.dataframe as dd
import numpy as np
import pandas as pd
from dask.distributed import Client, LocalCluster
from plain_steps import KEY, TARGET, broken_rows, derived, split, typed
from sklearn.neighbors import NearestNeighbors

MOST_PLACES = 262_144  # that nearest neighbours are learned from, as in the pipeline


def validate(raw: Path, work: Path) -> None:
    """Accepted and rejected rows."""
    table = dd.read_parquet(raw).map_partitions(typed)
    bad = table.map_partitions(lambda rows: broken_rows(rows).any(axis=1))
    keys = table[KEY].assign(rows=1).groupby(KEY)["rows"].sum().reset_index()
    again = keys[keys["rows"] > 1][KEY].assign(again=True).compute()
    rejected = bad | table.map_partitions(
        lambda rows: rows[KEY].merge(again, "left").again.notna().set_axis(rows.index)
    )
    table[rejected].compute().to_csv(work / "rejected.csv", index=False)
    table[~rejected].to_parquet(work / "accepted", write_index=False)


def preprocess(_raw: Path, work: Path) -> None:
    """Train, validation and test with all features."""
    table = dd.read_parquet(work / "accepted")
    features = table.map_partitions(lambda rows: derived(rows).assign(part=split(rows["id"]))).persist()
    train = features[features["part"] == "train"]
    learned = train[["zipcode", "lat", "long"]].assign(value=np.log(train[TARGET] / train["sqft_living"]))
    zips = learned.groupby("zipcode")["value"].agg(["sum", "count"]).compute()
    places = learned[["lat", "long", "value"]].sample(frac=min(1, MOST_PLACES / len(learned)), random_state=0).compute()
    index = NearestNeighbors(n_neighbors=16, algorithm="kd_tree").fit(places[["lat", "long"]].to_numpy() * [111.2, 75])
    values = places["value"].to_numpy()
    mean = zips["sum"].sum() / zips["count"].sum()
    codes = {name: code for code, name in enumerate(zips.index)}

    def complete(rows: pd.DataFrame) -> pd.DataFrame:
        own = (rows["part"] == "train") * 1
        value = np.log(rows[TARGET] / rows["sqft_living"]) * own
        total = rows["zipcode"].map(zips["sum"]).fillna(0) - value
        count = rows["zipcode"].map(zips["count"]).fillna(0) - own
        distances, near = index.kneighbors(rows[["lat", "long"]].to_numpy() * [111.2, 75])
        weights = np.where(distances == 0, 0, 1 / (distances + 0.1))
        return rows.assign(
            price_of_zipcode=(total + 10 * mean) / (count + 10),
            price_nearby=(weights * values[near]).sum(axis=1) / np.maximum(weights.sum(axis=1), 1e-9),
            zipcode=rows["zipcode"].map(codes).fillna(-1).astype(int),
        )

    done = features.map_partitions(complete).persist()
    for name in ("train", "validation", "test"):
        done[done["part"] == name].drop(columns="part").to_parquet(work / f"{name}-dask", write_index=False)


if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster):
        {"ValidateData": validate, "Preprocess": preprocess}[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))
