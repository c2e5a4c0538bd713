"""What Evidently and NannyML say of rows.py, each in an environment of its own; the figures are committed beside this.

python -m venv evidently && evidently/bin/pip install -r tests/monitoring/oracles/evidently.txt
evidently/bin/python tests/monitoring/oracles/record.py evidently
python -m venv nannyml && nannyml/bin/pip install -r tests/monitoring/oracles/nannyml.txt  # Python below 3.13
nannyml/bin/python tests/monitoring/oracles/record.py nannyml
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from pathlib import Path
from typing import Any

import pandas as pd

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER))
os.environ |= {"DO_NOT_TRACK": "1", "NML_DISABLE_USAGE_LOGGING": "1"}  # neither tells its makers

from rows import month  # noqa: E402

NUMBERS, INPUTS = ("size", "rooms"), ["size", "rooms", "quarter"]


def evidently(reference: pd.DataFrame, current: pd.DataFrame) -> dict[str, Any]:
    """Drift of single columns, and the quality of the predictions."""
    from evidently import DataDefinition, Dataset, Regression, Report
    from evidently.metrics import MAE, MAPE, RMSE, R2Score, ValueDrift

    definition = DataDefinition(
        numerical_columns=["size", "rooms"],
        categorical_columns=["quarter"],
        regression=[Regression(target="price", prediction="predicted")],
    )
    then, now = (Dataset.from_pandas(rows, data_definition=definition) for rows in (reference, current))

    def value(metric: Any) -> float:
        (found,) = Report([metric]).run(now, then).dict()["metrics"]
        number = found["value"]
        return float(number["mean"] if isinstance(number, dict) else number)

    drift = {
        f"{method} of {column}": value(ValueDrift(column=column, method=method))
        for method, columns in {
            "wasserstein": NUMBERS,
            "ks": NUMBERS,
            "psi": ("quarter",),
            "chisquare": ("quarter",),
        }.items()
        for column in columns
    }
    quality = {"mae": value(MAE()), "mape": value(MAPE()), "rmse": value(RMSE()), "r2": value(R2Score())}
    return {**drift, **quality}


def nannyml(reference: pd.DataFrame, current: pd.DataFrame) -> dict[str, Any]:
    """Drift of single columns, a classifier that tells the months apart, and the error before and after the prices."""
    import nannyml as library

    def value(calculator: Any, *path: str) -> float:
        found = calculator.fit(reference).calculate(current).filter(period="analysis").to_df()
        return float(found[path].iloc[0])

    drift = library.UnivariateDriftCalculator(
        column_names=INPUTS,
        treat_as_categorical=["quarter"],
        continuous_methods=["kolmogorov_smirnov", "wasserstein"],
        categorical_methods=["l_infinity", "chi2"],
        chunk_number=1,
    )
    univariate = drift.fit(reference).calculate(current).filter(period="analysis").to_df()
    found = {
        f"{method} of {column}": float(univariate[column, method, "value"].iloc[0])
        for column, methods in {
            **dict.fromkeys(NUMBERS, ("kolmogorov_smirnov", "wasserstein")),
            "quarter": ("l_infinity",),
        }.items()
        for method in methods
    }
    classifier = library.DomainClassifierCalculator(
        feature_column_names=INPUTS, treat_as_categorical=["quarter"], chunk_number=1
    )
    found["auc"] = value(classifier, "domain_classifier_auroc", "value")
    actual = library.PerformanceCalculator(
        problem_type="regression", y_true="price", y_pred="predicted", metrics=["mape"], chunk_number=1
    )
    found["mape"] = value(actual, "mape", "value")
    estimate = library.DLE(
        feature_column_names=INPUTS, y_true="price", y_pred="predicted", metrics=["mape"], chunk_number=1
    )
    blind = current.drop(columns="price")
    estimated = estimate.fit(reference).estimate(blind).filter(period="analysis").to_df()
    found["estimated mape"] = float(estimated["mape", "value"].iloc[0])
    return found


def main() -> None:
    """Write the figures of the library that is named."""
    (name,) = sys.argv[1:]
    warnings.filterwarnings("ignore")
    from importlib.metadata import version

    tables = (pd.DataFrame(month(changed)) for changed in (False, True))
    figures = {"evidently": evidently, "nannyml": nannyml}[name](*tables)
    document = {"library": name, "version": version(name), "figures": figures}
    (FOLDER / f"{name}.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(document, indent=1))


if __name__ == "__main__":
    main()
