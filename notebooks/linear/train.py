"""The training job of the notebook: a linear regression, kept as the numbers of its equation."""

import json
import os
import shutil
from pathlib import Path

import pandas as pd
from sklearn.linear_model import LinearRegression
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

FEATURES = json.loads(os.environ["SM_HPS"])["features"].split(",")


def main() -> None:
    """Fit on the train channel, report the error on the test channel, write /opt/ml/model/model.json."""
    train, test = (
        pd.read_parquet(Path(os.environ[f"SM_CHANNEL_{name}"]) / "houses.parquet") for name in ("TRAIN", "TEST")
    )
    line = LinearRegression().fit(train[FEATURES], train["price"])
    predicted = line.predict(test[FEATURES])
    equation = {
        "features": FEATURES,
        "coefficients": line.coef_.tolist(),
        "intercept": float(line.intercept_),
        "metrics": {
            "rmse": root_mean_squared_error(test["price"], predicted),
            "mae": mean_absolute_error(test["price"], predicted),
            "r2": r2_score(test["price"], predicted),
        },
    }
    model = Path(os.environ["SM_MODEL_DIR"])
    (model / "model.json").write_text(json.dumps(equation, indent=1))
    (model / "code").mkdir()
    shutil.copy(Path(__file__).with_name("inference.py"), model / "code")
    print(json.dumps(equation["metrics"]))


if __name__ == "__main__":
    main()
