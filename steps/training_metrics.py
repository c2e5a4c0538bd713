"""The metrics that Train prints, a line each, for the job's metric definitions to find.

Imports no library: the pipeline's definition reads it, too.
"""

METRICS = (
    "validation:rmse",
    "validation:mae",
    "validation:mse",
    "validation:mape",
    "validation:r2",
    "validation:linear_rmse",
    "train:rounds",
)


def line(name: str, value: float) -> str:
    """The line of one metric; KeyError for one that METRICS does not have, which nobody would find."""
    if name not in METRICS:
        raise KeyError(name)
    return f"{name}={value:.6f};"


def pattern(name: str) -> str:
    """The regular expression that finds the value in its line."""
    return f"{name}=([0-9.eE+-]+);"
