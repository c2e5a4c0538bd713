"""The section tuning of the YAML: which hyperparameters a tuning job may choose, and how."""

from math import prod
from typing import Literal

from pydantic import Field, model_validator

from pipelines.settings.section import Section

# What steps.train prints for the validation part -> whether more of it is better.
OBJECTIVES = {
    "validation:rmse": False,
    "validation:mae": False,
    "validation:mse": False,
    "validation:mape": False,
    "validation:r2": True,
}
Number = int | float


class Range(Section):
    """The values that a hyperparameter may have: from `min` to `max`, or one of `values`."""

    min: Number | None = None
    max: Number | None = None
    scaling: Literal["Auto", "Linear", "Logarithmic", "ReverseLogarithmic"] = "Auto"
    values: list[Number] | None = Field(default=None, min_length=1, max_length=30)

    @model_validator(mode="after")
    def _is_one_of_both(self) -> "Range":
        ends = [end for end in (self.min, self.max) if end is not None]
        if len(ends) != (2 if self.values is None else 0):
            raise ValueError("give min and max, or values.")
        if self.min is not None and self.max is not None and self.min >= self.max:
            raise ValueError(f"min is {self.min} and max {self.max}: min must be smaller.")
        if self.scaling == "Logarithmic" and self.min is not None and self.min <= 0:
            raise ValueError("a logarithmic scaling needs a min above 0.")
        if self.scaling == "ReverseLogarithmic" and self.max is not None and not 0 <= (self.min or 0) < self.max < 1:
            raise ValueError("a reverse logarithmic scaling needs a range within 0 and 1.")
        return self

    @property
    def ends(self) -> list[Number]:
        """Values that must all be possible for the whole range to be."""
        return self.values or [end for end in (self.min, self.max) if end is not None]


class TuningSettings(Section):
    """Makes Train a hyperparameter tuning step; the best of its training jobs goes on.

    strategy: Bayesian, Random or Grid (every combination; all ranges have `values`).
    max_jobs: training jobs in all, not for Grid. seed: another number draws other values.
    objective: the metric of the validation part by which the best job is chosen.
    """

    ranges: dict[str, Range] = Field(min_length=1, max_length=30)
    strategy: Literal["Bayesian", "Random", "Grid"] = "Random"
    max_jobs: int | None = Field(default=None, ge=1, le=750)
    max_parallel_jobs: int = Field(default=2, ge=1, le=100)
    objective: Literal["validation:rmse", "validation:mae", "validation:mse", "validation:mape", "validation:r2"] = (
        "validation:rmse"
    )
    seed: int = Field(default=1, ge=1, le=2**31 - 1)

    @model_validator(mode="after")
    def _fits_the_strategy(self) -> "TuningSettings":
        if self.strategy == "Grid":
            if self.max_jobs is not None:
                raise ValueError("max_jobs is not for Grid, which trains every combination: remove it.")
            without = [name for name, each in self.ranges.items() if each.values is None]
            if without:
                raise ValueError(f"Grid needs values for every hyperparameter, and {without[0]} has none.")
            if self.jobs > 750:
                raise ValueError(f"the grid has {self.jobs:,} combinations, where SageMaker trains at most 750.")
        return self

    @property
    def jobs(self) -> int:
        """How many training jobs there will be at most."""
        if self.strategy == "Grid":
            return prod(len(each.values or ()) for each in self.ranges.values())
        return self.max_jobs or 10

    @property
    def maximize(self) -> bool:
        """Whether the best job is the one with the largest objective."""
        return OBJECTIVES[self.objective]
