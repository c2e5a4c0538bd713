"""SAGEMAKER_INFERENCE_OUTPUT: which values of a prediction are answered.

Facts from algorithm_mode/serve_utils.py of the image.
"""

import json
import math
from typing import Any

LABEL = ("predicted_label", "labels", "raw_score", "raw_scores")
WITH_PROBABILITIES = (*LABEL, "probability", "probabilities")
KEYS = {  # what each objective has
    "reg:squarederror": ("predicted_score",),
    "reg:logistic": ("predicted_score",),
    "reg:gamma": ("predicted_score",),
    "reg:absoluteerror": ("predicted_score",),
    "reg:tweedie": ("predicted_score",),
    "binary:logistic": WITH_PROBABILITIES,
    "binary:logitraw": LABEL,
    "binary:hinge": LABEL,
    "multi:softmax": LABEL,
    "multi:softprob": WITH_PROBABILITIES,
}


def selected(predictions: Any, keys: list[str], objective: str, classes: int, accept: str) -> str:
    """The chosen values of each prediction as CSV, JSON or JSON lines; ValueError where that cannot be.

    A key that the objective does not have is NaN, as in the image.
    """
    if objective not in KEYS:
        raise ValueError(f"Objective `{objective}` unsupported for selectable inference predictions.")
    rows = [{key: _value(key, each, objective, classes) for key in keys} for each in predictions]
    if accept == "application/json":
        return json.dumps({"predictions": rows})
    if accept == "application/jsonlines":
        return "".join(f"{json.dumps(row)}\n" for row in rows)
    if accept == "text/csv":
        return "\n".join(",".join(_cell(row[key]) for key in keys) for row in rows)
    raise ValueError(f"Cannot encode selected predictions into accept type '{accept}'.")


def _value(key: str, prediction: Any, objective: str, classes: int) -> Any:
    if key not in KEYS[objective]:
        return math.nan
    if objective == "multi:softprob":
        scores = prediction.tolist()
        top = max(range(len(scores)), key=scores.__getitem__)
        per_class = {"predicted_label": top, "labels": list(range(classes))}
        return per_class.get(key, max(scores) if key in ("probability", "raw_score") else scores)
    score = prediction.item()
    labels = list(range(classes)) if objective.startswith("multi:") else [0, 1]
    label = {"binary:logistic": int(score > 0.5), "binary:logitraw": int(score > 0)}.get(objective, score)
    pair = [1.0 - score, score]
    return {"predicted_label": label, "labels": labels, "probabilities": pair, "raw_scores": pair}.get(key, score)


def _cell(value: Any) -> str:
    return f'"{value}"' if isinstance(value, list) else str(value)
