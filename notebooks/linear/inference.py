"""The equation behind an endpoint: the handlers that the framework image calls."""

import json
from pathlib import Path
from typing import Any


def model_fn(model_dir: str) -> dict[str, Any]:
    """Read the equation."""
    equation: dict[str, Any] = json.loads(Path(model_dir, "model.json").read_text())
    return equation


def input_fn(body: str, content_type: str) -> list[dict[str, float]]:
    """A JSON list of houses, each an object with a value for every feature."""
    houses: list[dict[str, float]] = json.loads(body)
    return houses


def predict_fn(houses: list[dict[str, float]], equation: dict[str, Any]) -> list[float]:
    """intercept + coefficient * feature + ..., for each house."""
    terms = list(zip(equation["coefficients"], equation["features"], strict=True))
    return [equation["intercept"] + sum(slope * house[name] for slope, name in terms) for house in houses]


def output_fn(predictions: list[float], accept: str) -> tuple[str, str]:
    """The prices as a JSON list."""
    return json.dumps(predictions), "application/json"
