"""The hyperparameters of Train: kind, default and limits of each. The YAML and the jobs read them here.

Imports no library, so that checking the YAML loads none.
"""

from typing import NamedTuple


class Hyperparameter(NamedTuple):
    """A number of `kind` from `low` to `high`, both allowed."""

    kind: "type[int] | type[float]"
    default: float
    low: float
    high: float

    def parse(self, text: str) -> float:
        """The number that a text says; ValueError, in a sentence, where it is not one of these."""
        try:
            value = self.kind(text)
        except ValueError:
            value = None
        if value is None or not self.low <= value <= self.high:
            noun = "an integer" if self.kind is int else "a number"
            raise ValueError(f"{text!r} is not {noun} from {self.low:g} to {self.high:g}")
        return value


UNLIMITED = float("inf")
# What boosting starts from. auto: whichever of the others is best on the validation part. out_of_fold_line: the line,
# where training rows start from one that has not seen them.
STARTS = ("auto", "mean", "line", "out_of_fold_line")
FEWEST_COLUMNS, LEAST_SHARE = 8, 0.4


def column_share(features: int) -> float:
    """The share of so many features that each tree sees: all of few, LEAST_SHARE of many."""
    return min(1.0, max(LEAST_SHARE, FEWEST_COLUMNS / features))


HYPERPARAMETERS = {
    "max_depth": Hyperparameter(int, 6, 1, 64),
    "learning_rate": Hyperparameter(float, 0.05, 1e-6, 1),
    "rounds": Hyperparameter(int, 2000, 1, 1_000_000),
    "early_stopping_rounds": Hyperparameter(int, 50, 1, 1_000_000),
    "min_child_weight": Hyperparameter(float, 1.0, 0, UNLIMITED),
    "subsample": Hyperparameter(float, 0.8, 1e-6, 1),
    "colsample_bytree": Hyperparameter(float, 0.0, 0, 1),  # 0: `column_share`
    "reg_lambda": Hyperparameter(float, 1.0, 0, UNLIMITED),
    "coverage": Hyperparameter(float, 0.9, 0.5, 0.999),
    "bands": Hyperparameter(int, 1, 1, 20),
    "seed": Hyperparameter(int, 0, 0, 2**31 - 1),
    "threads": Hyperparameter(int, 2, 1, 1024),
}
# How many rounds checkpoints are apart; none by default, see steps/checkpoints.py.
CHECKPOINT_ROUNDS = Hyperparameter(int, 0, 0, 1_000_000)
