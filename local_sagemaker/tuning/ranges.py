"""The ranges of hyperparameters: what a candidate's values are drawn from, and on which scale.

https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-define-ranges.html
"""

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from local_sagemaker.errors import invalid

WIDE = 1000.0  # an Auto scale is logarithmic from this ratio of maximum to minimum on; AWS does not say what its is
SCALES = ("Linear", "Logarithmic", "ReverseLogarithmic")


class Range(Protocol):
    """One hyperparameter that is tuned."""

    @property
    def name(self) -> str:
        """The name of the hyperparameter."""

    def draw(self, dice: random.Random) -> str:
        """A value as the training job gets it."""

    def holds(self, value: str) -> bool:
        """Whether a value is within the range."""

    def place(self, value: str) -> tuple[float, ...]:
        """Where a value lies on the scale of the range: coordinates from 0 to 1, of which categories have one each."""


@dataclass(frozen=True)
class Categories:
    """A hyperparameter that takes one of several values."""

    name: str
    values: tuple[str, ...]

    def draw(self, dice: random.Random) -> str:
        """One of the values, each as likely as any other."""
        return dice.choice(self.values)

    def holds(self, value: str) -> bool:
        """Whether it is one of the values."""
        return value in self.values

    def place(self, value: str) -> tuple[float, ...]:
        """1 for the category, 0 for each other."""
        return tuple(float(value == each) for each in self.values)


@dataclass(frozen=True)
class Continuous:
    """A number between two others, both included, drawn evenly on its scale."""

    name: str
    low: float
    high: float
    scale: str

    def draw(self, dice: random.Random) -> str:
        """A number as the shortest text that reads back as the same."""
        if self.scale == "Logarithmic":
            value = math.exp(dice.uniform(math.log(self.low), math.log(self.high)))
        elif self.scale == "ReverseLogarithmic":
            value = 1 - math.exp(dice.uniform(math.log(1 - self.high), math.log(1 - self.low)))
        else:
            value = dice.uniform(self.low, self.high)
        return repr(min(max(value, self.low), self.high))

    def holds(self, value: str) -> bool:
        """Whether a number is within the range."""
        return self.low <= float(value) <= self.high

    def place(self, value: str) -> tuple[float, ...]:
        """The share of the scale that is below the value."""
        return _share(float(value), self.low, self.high, self.scale)


@dataclass(frozen=True)
class Whole:
    """A whole number between two others, both included, drawn evenly on its scale."""

    name: str
    low: int
    high: int
    scale: str

    def draw(self, dice: random.Random) -> str:
        """On the logarithmic scale, a number is as likely as its stretch of the scale, n to n + 1, is long."""
        if self.scale == "Logarithmic":
            value = math.floor(math.exp(dice.uniform(math.log(self.low), math.log(self.high + 1))))
            return str(min(max(value, self.low), self.high))
        return str(dice.randint(self.low, self.high))

    def holds(self, value: str) -> bool:
        """Whether a number is within the range."""
        return self.low <= float(value) <= self.high

    def place(self, value: str) -> tuple[float, ...]:
        """The share of the scale that is below the value."""
        return _share(float(value), self.low, self.high, self.scale)


def ranges(document: Mapping[str, Any]) -> list[Range]:
    """The ranges of the shape ParameterRanges; ValidationException names the one that is wrong."""
    if document.get("AutoParameters"):
        raise invalid("Local SageMaker does not support AutoParameters: give each hyperparameter a range.")
    found: list[Range] = [
        Categories(entry["Name"], tuple(entry["Values"])) for entry in document.get("CategoricalParameterRanges") or []
    ]
    for entry in document.get("IntegerParameterRanges") or []:
        low, high = (_number(entry, field, int) for field in ("MinValue", "MaxValue"))
        found.append(Whole(entry["Name"], int(low), int(high), _scale(entry, low, high, ("Linear", "Logarithmic"))))
    for entry in document.get("ContinuousParameterRanges") or []:
        low, high = (_number(entry, field, float) for field in ("MinValue", "MaxValue"))
        found.append(Continuous(entry["Name"], low, high, _scale(entry, low, high, SCALES)))
    names = [each.name for each in found]
    for name in names:
        if names.count(name) > 1:
            raise invalid(f"The hyperparameter {name} has more than one range.")
    if not found:
        raise invalid("There are no ranges of hyperparameters: give ParameterRanges or HyperParameterRanges.")
    return found


def _share(value: float, low: float, high: float, scale: str) -> tuple[float]:
    if low == high:
        return (0.0,)
    if scale == "Logarithmic":
        value, low, high = math.log(value), math.log(low), math.log(high)
    elif scale == "ReverseLogarithmic":
        value, low, high = -math.log(1 - value), -math.log(1 - low), -math.log(1 - high)
    return ((value - low) / (high - low),)


def _number(entry: Mapping[str, Any], field: str, kind: type[int] | type[float]) -> float:
    try:
        value = kind(entry[field])
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        word = "a whole number" if kind is int else "a number"
        raise invalid(f"The {field} of the hyperparameter {entry['Name']} is {entry[field]!r}, which is not {word}.")
    return value


def _scale(entry: Mapping[str, Any], low: float, high: float, supported: tuple[str, ...]) -> str:
    name, scale = entry["Name"], entry.get("ScalingType", "Auto")
    if low > high:
        raise invalid(f"The MinValue of the hyperparameter {name} is greater than its MaxValue.")
    if scale == "Auto":
        return "Logarithmic" if low > 0 and high / low >= WIDE else "Linear"
    if scale not in supported:
        raise invalid(f"The hyperparameter {name} cannot have the ScalingType {scale}: use {', '.join(supported)}.")
    if scale == "Logarithmic" and low <= 0:
        raise invalid(f"The range of the hyperparameter {name} must be above 0 for the ScalingType Logarithmic.")
    if scale == "ReverseLogarithmic" and not 0 <= low <= high < 1:
        raise invalid(f"The range of {name} must be within 0 <= x < 1 for the ScalingType ReverseLogarithmic.")
    return str(scale)
