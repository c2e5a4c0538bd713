"""The first two steps with PySpark in local mode, on two cores: expressions of Spark's own, and pandas for neighbours.

`python tests/benchmarks/spark_steps.py STEP RAW WORK` reads what sales.py writes.

The rules and features of a row are those of plain_steps.py. Needs Java 17 and the packages of
engines-requirements.txt.
"""

import os
import sys
from collections.abc import Iterator
from functools import reduce
from operator import or_
from pathlib import Path

import numpy as np
import pandas as pd
from plain_steps import KEY, RENOVATED, TARGET, columns
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from sklearn.neighbors import NearestNeighbors

MOST_PLACES = 262_144  # that nearest neighbours are learned from, as in the pipeline
KM = [111.2, 75]  # of a degree of latitude and of longitude
SETTINGS = {
    "spark.driver.memory": "4g",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.shuffle.partitions": "8",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
}


def typed(table: DataFrame) -> DataFrame:
    """The columns as the YAML types them."""
    texts = {name: F.lpad(F.col(name).cast("string"), width, "0") for name, width in (("id", 10), ("zipcode", 5))}
    return table.withColumns({**texts, "date": F.col("date").cast("timestamp")})


def broken(table: DataFrame) -> Column:
    """Whether a row breaks a rule of single rows."""
    year = F.year("date")
    rules = [F.col(name).isNull() for name in table.columns]
    rules += [~F.col(name).between(*each["range"]) for name, each in columns().items() if "range" in each]
    rules += [year < F.col(name) for name in RENOVATED]
    rules += [
        F.col("sqft_above") + F.col("sqft_basement") != F.col("sqft_living"),
        ~F.col("zipcode").rlike("^98[0-9]{3}$"),
    ]
    return reduce(or_, rules)


def validate(spark: SparkSession, raw: Path, work: Path) -> None:
    """Accepted and rejected rows."""
    table = typed(spark.read.parquet(str(raw)))
    again = table.groupBy(*KEY).count().filter("count > 1").drop("count").withColumn("again", F.lit(True))
    judged = (
        table.join(F.broadcast(again), KEY, "left")
        .withColumn("rejected", F.coalesce(broken(table), F.lit(True)) | F.col("again").isNotNull())
        .drop("again")
    )
    judged.filter("rejected").drop("rejected").write.csv(str(work / "rejected"), header=True)
    judged.filter("not rejected").drop("rejected").write.parquet(str(work / "accepted"))


def km(lat: float, long: float) -> Column:
    """From a row's place to another, by the haversine formula."""
    a, b = F.radians("lat"), F.radians(F.lit(lat))
    half = F.pow(F.sin((a - b) / 2), 2) + F.cos(a) * F.cos(b) * F.pow(F.sin(F.radians(F.col("long") - long) / 2), 2)
    return 2 * 6371.0088 * F.asin(F.sqrt(half))


def derived(table: DataFrame) -> DataFrame:
    """The features that a row has by itself, and `part`: 70 % train, 10 % validation and the test, by a hash."""
    year, share = F.year("date"), F.pmod(F.xxhash64("id"), F.lit(10_000)) / 10_000
    found = table.withColumns(
        {
            "part": F.when(share < 0.7, "train").when(share < 0.8, "validation").otherwise("test"),
            "day_of_sale": F.datediff("date", F.lit("1970-01-01")),
            "age": year - F.col("yr_built"),
            "renovated": F.col("yr_renovated") > 0,
            "years_since_work": year - F.greatest(*RENOVATED),
            "size_to_neighbours": F.col("sqft_living") / F.col("sqft_living15"),
            "lot_to_neighbours": F.col("sqft_lot") / F.col("sqft_lot15"),
            "living_to_lot": F.col("sqft_living") / F.col("sqft_lot"),
            "north_east": F.col("lat") + F.col("long"),
            "north_west": F.col("lat") - F.col("long"),
            "km_to_seattle": km(47.61, -122.335),
            "km_to_bellevue": km(47.615, -122.2),
        }
    )
    return found.drop(*KEY)


def preprocess(spark: SparkSession, _raw: Path, work: Path) -> None:
    """Train, validation and test with all features."""
    features = derived(spark.read.parquet(str(work / "accepted")))
    value = F.log(F.col(TARGET) / F.col("sqft_living"))
    train = features.filter("part = 'train'").withColumn("value", value)
    zips = train.groupBy("zipcode").agg(F.sum("value").alias("total"), F.count("value").alias("number"))
    learned = zips.toPandas().sort_values("zipcode").assign(code=lambda found: range(len(found)))
    mean = float(learned["total"].sum() / learned["number"].sum())
    rows = int(learned["number"].sum())
    places = train.select("lat", "long", "value").sample(min(1.0, MOST_PLACES / rows), seed=0).toPandas()
    known = spark.sparkContext.broadcast(places)

    @F.pandas_udf("double")
    def nearby(tables: Iterator[tuple[pd.Series, pd.Series]]) -> Iterator[pd.Series]:
        values = known.value["value"].to_numpy()
        index = NearestNeighbors(n_neighbors=16, algorithm="kd_tree").fit(known.value[["lat", "long"]].to_numpy() * KM)
        for table in tables:
            distances, near = index.kneighbors(np.column_stack(table) * KM)
            weights = np.where(distances == 0, 0, 1 / (distances + 0.1))  # 0: the row itself
            yield pd.Series((weights * values[near]).sum(axis=1) / np.maximum(weights.sum(axis=1), 1e-9))

    own = F.when(F.col("part") == "train", 1).otherwise(0)  # a training row's own target stays out of its features
    total, number = F.coalesce("total", F.lit(0.0)) - value * own, F.coalesce("number", F.lit(0)) - own
    complete = (
        features.withColumn("price_nearby", nearby("lat", "long"))
        .join(F.broadcast(spark.createDataFrame(learned)), "zipcode", "left")
        .withColumn("price_of_zipcode", (total + 10 * mean) / (number + 10))
        .withColumn("zipcode", F.coalesce("code", F.lit(-1)))
        .drop("total", "number", "code")
    )
    complete.write.partitionBy("part").parquet(str(work / "spark"))


if __name__ == "__main__":
    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = SparkSession.builder.master("local[2]")
    session = reduce(lambda made, each: made.config(*each), SETTINGS.items(), builder).getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    {"ValidateData": validate, "Preprocess": preprocess}[sys.argv[1]](session, Path(sys.argv[2]), Path(sys.argv[3]))
    java = session.sparkContext._gateway.proc
    session.stop()
    java.stdin.close()
    java.wait()  # what is not waited for does not count as time of the processor
