"""The interval around a prediction: conformal, and as wide as the error that is expected of such a row.

One booster learns the absolute residual of training rows, each predicted by trees that have not seen it. The bounds lie
so many expected residuals from the prediction that they cover the wanted share of the validation rows. For rows that
are drawn as those were, they cover at least that share. Source: Lei, G'Sell, Rinaldo, Tibshirani and Wasserman,
Distribution-Free Predictive Inference for Regression, Journal of the American Statistical Association, 2018, 5.2.
Early stopping sees the validation rows too, which narrows the interval by less than the chance in their number; the
prediction's trees learn from them in the end, which makes it cover a little more.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from steps.boosting import predict, predict_table, xgboost
from steps.checkpoints import Told
from steps.failure import JobError
from steps.features import Features
from steps.other_trees import OtherTrees
from steps.quantile_interval import METHOD as QUANTILES
from steps.quantile_interval import QuantileInterval
from steps.starting_point import Boosting, Part, rows_of
from steps.training_matrix import Rows

METHOD = "conformal, scaled by the expected absolute residual"
FOLDS = 2
DEPTH, ROUNDS, EARLY_STOPPING_ROUNDS = 4, 1000, 40  # the most of what the YAML asks for: errors say less than targets
LEAST = 1e-3  # of the mean residual: what a smaller one counts as, for a gamma distribution has no 0
NOTHING = 1e-9  # of the targets' spread: what counts as the mean residual where there is none


@dataclass(frozen=True)
class Interval:
    """coverage: the share of actual values that should lie inside.

    margins: the distance of the bounds where the booster says 1, on the training scale; one for each band of the
    prediction, between which are the `edges`, on the training scale too. One band is the default.
    """

    booster: xgboost.Booster
    coverage: float
    margins: tuple[float, ...]
    edges: tuple[float, ...] = ()

    @property
    def by_band(self) -> bool:
        """Whether bands of the prediction are calibrated each for itself."""
        return bool(self.edges)

    def to_json(self) -> dict[str, Any]:
        """What the booster's file does not hold, as plain JSON."""
        return {"method": METHOD, "coverage": self.coverage, "margins": list(self.margins), "edges": list(self.edges)}

    def bounds(
        self, values: np.ndarray, _start: np.ndarray, centre: np.ndarray, threads: int | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return lower and upper bounds on the training scale, one of each per row.

        `values` are features as `steps.boosting.predict` takes them, `centre` the predictions on the training scale.
        """
        margins = np.array(self.margins)[np.searchsorted(self.edges, centre, side="right")]
        distance = margins * self.expected(values, threads)
        return centre - distance, centre + distance

    def expected(self, values: np.ndarray, threads: int | None = None) -> np.ndarray:
        """The expected absolute residual of each row, over that of the mean training row."""
        return predict(self.booster, values, np.zeros(len(values)), threads).astype(float)


def from_json(document: Mapping[str, Any], booster: xgboost.Booster) -> Interval | QuantileInterval:
    """Build the interval from what its `to_json` wrote and its booster."""
    if document["method"] == QUANTILES:
        return QuantileInterval.from_json(document, booster)
    return Interval(booster, document["coverage"], tuple(document["margins"]), tuple(document["edges"]))


def fit(
    train: Part,
    validation: Part,
    features: Features,
    boosting: Boosting,
    booster: xgboost.Booster,
    coverage: float,
    bands: int = 1,
    other: OtherTrees | None = None,
) -> Interval:
    """Learn from training rows what error to expect, and calibrate it on validation rows.

    `booster` is the prediction's, which has seen the training rows only, and `boosting` how it was boosted; where
    `other` trees predict, the bounds are calibrated around theirs. The bounds
    of different `bands` of the prediction, with equally many validation rows each, are calibrated apart: Mondrian
    conformal prediction (Vovk, Gammerman and Shafer, Algorithmic Learning in a Random World, 2005, section 4.5). What a
    feature with a sign (see `Features`) says is left out, so that the bounds keep the rules that the prediction keeps.
    Raises JobError when the validation part is too small for the coverage.
    """
    rows, needed = validation.shard.total, bands * fewest_rows(coverage)
    if rows < needed:
        each, less = (f" in each of {bands} bands", ", fewer interval.bands") if bands > 1 else ("", "")
        raise JobError(
            f"The validation part has {rows:,} rows, too few for an interval that covers {coverage:.0%}{each}: it "
            f"needs {needed:,}; give more data, raise split.validation or lower interval.coverage{less} in the YAML."
        )
    residuals = _out_of_fold(train, features, boosting, booster.num_boosted_rounds())
    if other is None:
        centre = features.held(predict_table(booster, validation.table.values, validation.start))
    else:
        centre = _of_other(other, validation, features)
    errors = np.abs(validation.target - centre)
    mean, spread = float(train.shard.mean(residuals)), math.sqrt(train.shard.variance(train.target))
    mean = max(mean, NOTHING * (spread or 1.0))
    scale = _scale(train, residuals / mean, validation, errors / mean, features, boosting)
    zeros = np.zeros(len(errors))
    ratios = errors / predict_table(scale, validation.table.values, zeros, _unknown(features)).astype(float)
    ratios, centre = (validation.shard.hosts.gathered(values) for values in (ratios, centre))
    edges = np.quantile(centre, np.arange(1, bands) / bands)
    band = np.searchsorted(edges, centre, side="right")
    inside = [band == number for number in range(bands)]
    margins = [_covering(ratios[chosen] if chosen.any() else ratios, coverage) for chosen in inside]
    return Interval(scale, coverage, tuple(margins), tuple(edges.tolist()))


def _covering(ratios: np.ndarray, coverage: float) -> float:
    """The least margin that covers the share of new rows like these; the largest ratio where they are too few."""
    place = math.ceil(coverage * (len(ratios) + 1)) - 1
    return float(np.sort(ratios)[min(place, len(ratios) - 1)])


def _out_of_fold(train: Part, features: Features, boosting: Boosting, rounds: int) -> np.ndarray:
    """The absolute residual of each training row from trees of the other half: as many steps, fewer and larger."""
    quick = boosting.faster()
    rate = boosting.parameters["learning_rate"] / quick.parameters["learning_rate"]
    fold = train.shard.drawn(
        lambda random, rows: (random.permutation(rows) % FOLDS).astype(np.int8), boosting.parameters["seed"]
    )
    table, result = train.table.values, np.empty(len(train.target))
    for number in range(FOLDS):
        own = fold == number
        data = quick.matrix([replace(train.rows, chosen=~own)], features)
        wanted = max(1, math.ceil(rounds * rate))
        booster = quick.checkpoints.boosted(f"fold-{number}", quick.parameters, data, wanted)
        predicted = features.held(predict_table(booster, table, train.start, chosen=own))
        result[own] = np.abs(train.target[own] - predicted)
    return result


def _of_other(trees: OtherTrees, part: Part, features: Features) -> np.ndarray:
    return features.held(trees.predict(rows_of(part, features), part.start))


def _scale(
    train: Part,
    residuals: np.ndarray,
    validation: Part,
    errors: np.ndarray,
    features: Features,
    boosting: Boosting,
) -> xgboost.Booster:
    """Boost residuals, whose mean is 1, as a gamma distribution, until those of validation rows are found no better."""
    free = {name: value for name, value in boosting.parameters.items() if name != "monotone_constraints"}
    parameters = {**free, "objective": "reg:gamma", "max_depth": min(free["max_depth"], DEPTH)}
    unknown = _unknown(features)
    rows, new = (
        Rows(part.table.values, np.zeros(len(size)), np.maximum(size, LEAST))
        for part, size in ((train, residuals), (validation, errors))
    )
    learned = boosting.matrix([rows], features, blank=unknown)
    told = Told(
        boosting.matrix([new], features, like=learned, blank=unknown),
        min(boosting.early_stopping_rounds, EARLY_STOPPING_ROUNDS),
    )
    rounds = min(boosting.rounds, ROUNDS)
    booster = boosting.checkpoints.boosted("interval", parameters, learned, rounds, told)
    return booster[: int(booster.best_iteration) + 1]


def _unknown(features: Features) -> list[int]:
    """The places of the features with a sign: no error is learned from them."""
    return [features.names.index(name) for name in features.signs]


def fewest_rows(coverage: float) -> int:
    """The fewest validation rows with which an interval of finite width can promise the coverage."""
    return math.ceil(round(coverage / (1 - coverage), 9))


def coverage(actual: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> float:
    """The share of actual values that lie in their interval, bounds included."""
    return float(np.mean((actual >= lower) & (actual <= upper)))


def chance_in_coverage(wanted: float, calibrated: int, measured: int) -> float:
    """How far the share that is measured on some rows may be from the wanted one by chance: two standard deviations.

    p (1 - p) / n for the `measured` rows, and about as much for the `calibrated` ones that the interval was moved by.
    Source: Vovk, Conditional validity of inductive conformal predictors, 2012.
    """
    return 2 * math.sqrt(wanted * (1 - wanted) * (1 / calibrated + 1 / measured))
