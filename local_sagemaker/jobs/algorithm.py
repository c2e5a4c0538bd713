"""Training by an image itself, without a script: when that is, what runs, and which metrics it logs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local_sagemaker.processes.image_families import family_of
from local_sagemaker.processes.images import repository_and_tag
from local_sagemaker.toolkits.xgboost.metrics import MAXIMIZED, MINIMIZED

PROGRAM = Path(__file__).parents[1] / "toolkits" / "xgboost_training.py"
SCRIPT = "sagemaker_program"


def trains_itself(image: str, hyperparameters: Mapping[str, Any]) -> bool:
    """Whether a training job with these hyperparameters runs the image's algorithm."""
    family = family_of(repository_and_tag(image)[0])
    return family is not None and family.algorithm and SCRIPT not in hyperparameters


def logged_metrics(algorithm: Mapping[str, Any], hyperparameters: Mapping[str, Any]) -> list[dict[str, str]]:
    """MetricDefinitions of an AlgorithmSpecification: those given, or else those that the image's algorithm has."""
    given = list(algorithm.get("MetricDefinitions", []))
    if given or not trains_itself(str(algorithm.get("TrainingImage", "")), hyperparameters):
        return given
    return [
        {"Name": f"{data}:{metric}", "Regex": rf"\[[0-9]+\].*#011{data}-{metric}:([^\s#]+)"}
        for data in ("train", "validation")
        for metric in (*MAXIMIZED, *MINIMIZED)
    ]
