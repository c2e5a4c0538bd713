"""The handlers of the endpoint against a plain scikit-learn pipeline, and against the boosters that they call."""

import json
import statistics
import subprocess
from collections.abc import Callable
from pathlib import Path
from time import thread_time

from project import by_hand
from rows import PYTHON, ROOT, Row

JSON = "application/json"
LOADING = """
import sys, time
sys.path.insert(0, sys.argv[1])
start = time.process_time()
from steps import serve
serve.model_fn(sys.argv[2])
print(time.process_time() - start, next(line for line in open("/proc/self/status") if "VmHWM" in line).split()[1])
"""
PLAIN_LOADING = """
import time
start = time.process_time()
import pandas, sklearn.compose, sklearn.pipeline, sklearn.preprocessing, xgboost
print(time.process_time() - start, next(line for line in open("/proc/self/status") if "VmHWM" in line).split()[1])
"""


def answer_rows(folder: Path) -> list[Row]:
    """Rows for the table, from the model of the default data; times of a request in milliseconds."""
    by_hand(folder)
    return compared(folder / "work")


def compared(work: Path) -> list[Row]:
    """Measure in turns, so that what else the machine does meets all; medians. `work` is what `by_hand` left."""
    import sklearn  # noqa: F401 - before the steps, which otherwise import XGBoost without its wrappers

    from steps import serve
    from steps.boosting import by_row, predict
    from steps.prediction_request import read_request

    model = serve.model_fn(str(work / "model"))
    plain = plain_pipeline(work, model.booster.num_boosted_rounds())
    instances = records(work)
    result = []
    for count, times, bars in ((1, 300, (0.4, 3.0)), (100, 40, (None, None)), (1000, 15, (1.4, None))):
        body = json.dumps({"instances": instances[:count]}).encode()
        columns, rows, _ = read_request(body, JSON, model.features.inputs)
        values = model.features.of_columns(columns, rows)
        start, values = model.features.held(model.linear.on(model.features.names)(values)), by_row(values)
        doubled = start.repeat(2).reshape(-1, 2)

        def handlers(body: bytes = body) -> None:
            serve.output_fn(serve.predict_fn(serve.input_fn(body, JSON), model), JSON)

        def boosters(values=values, start=start, doubled=doubled) -> None:
            predict(model.booster, values, start, 1)
            predict(model.interval.booster, values, doubled, 1)

        found = in_turns({"handlers": handlers, "plain": lambda body=body: plain(body), "boosters": boosters}, times)
        noun = "row" if count == 1 else "rows"
        result += [
            Row(
                f"{count:,} {noun} in the handlers, ms / plain scikit-learn", found["handlers"], found["plain"], bars[0]
            ),
            Row("  the same / the boosters that it calls", found["handlers"], found["boosters"], bars[1]),
        ]
    return result + _loading(work)


def plain_pipeline(work: Path, rounds: int) -> Callable[[bytes], str]:
    """JSON, DataFrame, ColumnTransformer, XGBoost: what one writes first; one booster, without interval or features."""
    import numpy as np
    import pandas as pd
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler
    from xgboost import XGBRegressor

    train = pd.read_parquet(work / "rows" / "rows.parquet")
    numbers = [name for name in train if name not in ("id", "date", "price", "zipcode")]
    columns = ColumnTransformer(
        [("numbers", StandardScaler(), numbers), ("zip", OneHotEncoder(handle_unknown="ignore"), ["zipcode"])]
    )
    booster = XGBRegressor(n_estimators=rounds, max_depth=6, learning_rate=0.05, n_jobs=1)
    fitted = make_pipeline(columns, booster).fit(train, np.log(train["price"]))

    def answer(body: bytes) -> str:
        table = pd.DataFrame(json.loads(body)["instances"])
        return json.dumps({"predictions": [{"score": float(score)} for score in np.exp(fitted.predict(table))]})

    return answer


def in_turns(calls: dict[str, Callable[[], object]], times: int) -> dict[str, float]:
    """The median of each call, in milliseconds of the processor: each has one thread, others may share the cores."""
    found: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(times + 3):
        for name, call in calls.items():
            start = thread_time()
            call()
            if number >= 3:  # after those that warm up
                found[name].append((thread_time() - start) * 1000)
    return {name: statistics.median(each) for name, each in found.items()}


def records(work: Path) -> list[dict[str, object]]:
    """1,000 rows of the test part, as a client sends them."""
    import pandas as pd

    rows = pd.read_parquet(work / "test" / "test.parquet").drop(columns=["id", "price"])
    rows["date"] = rows["date"].dt.strftime("%Y-%m-%d")
    return json.loads(rows.head(1000).to_json(orient="records"))


def _loading(work: Path) -> list[Row]:
    def measured(*words: str) -> tuple[float, float]:
        done = subprocess.run([PYTHON, "-c", *words], cwd=ROOT, capture_output=True, text=True, check=True)
        seconds, kilobytes = done.stdout.split()
        return float(seconds), float(kilobytes) / 1024

    ours, plain = [], []
    for _ in range(3):
        ours.append(measured(LOADING, str(work / "model" / "code"), str(work / "model")))
        plain.append(measured(PLAIN_LOADING))
    seconds, megabytes = ([statistics.median(run[place] for run in runs) for runs in (ours, plain)] for place in (0, 1))
    return [
        Row("a worker imports and loads the model / the imports of plain scikit-learn", *seconds, 1.0),
        Row("  its memory, MB / theirs", *megabytes, 1.1),
    ]
