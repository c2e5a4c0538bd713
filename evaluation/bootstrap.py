"""How sure the measured errors are: what they would have been on resampled test rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache, reduce
from itertools import islice
from statistics import NormalDist

import numpy as np

from steps import batches
from steps.metrics import NAMES
from steps.workers import in_parallel

SEED = 20141013
RESAMPLES, FEWEST_RESAMPLES = 1000, 200
MOST_DRAWS = 20_000_000  # of many rows fewer resamples are drawn: a run of a million rows stays bounded
CONFIDENCE = 0.95
FEWEST_OUTSIDE = 4  # resamples that tell where the end of an interval is
AT_ONCE = 16  # resamples that are summed up together
# Rows whose numbers stay in the processor's cache. BLAS sums so few on one core, so that the digits of more rows do not
# depend on the number of cores.
PIECE = 1 << 14


def resamples(rows: int, seed: int = SEED) -> Iterator[np.ndarray]:
    """For each resample of `rows` rows, drawn with replacement: how often each row is in it.

    The same numbers for the same count of rows, so that whatever is measured on them is paired. Source:
    Efron and Tibshirani, An Introduction to the Bootstrap, chapters 6 and 13.
    """
    random = np.random.default_rng(seed)
    for _ in range(_resamples_of(rows)):
        yield np.bincount(random.integers(rows, size=rows), minlength=rows)


def resampled_sums(rows: int, of_batch: Callable[[slice], Callable[[np.ndarray], np.ndarray]]) -> np.ndarray:
    """Sums over the rows of each resample: (resamples, ...), the same resamples for the same count of rows.

    `of_batch` is given the places of some rows, and gives what sums them up for some resamples, from how often each row
    is in each: (resamples, rows). Of more rows than a batch, each row is in a resample as often as Poisson's
    distribution with a mean of 1 says, whatever the others are: then no batch needs to know of another. Source:
    Chamandy, Muralidharan, Najmi and Naidu, Estimating uncertainty for massive data streams, Google, 2012.
    """
    if rows <= batches.ROWS:
        return _summed(of_batch(slice(0, rows)), _drawn(rows, _resamples_of(rows)))
    places, count = list(batches.batches(rows)), _resamples_of(rows)

    def sums_of(number: int) -> np.ndarray:
        batch = places[number]
        random, size = np.random.default_rng([SEED, number]), batch.stop - batch.start
        return _summed(of_batch(batch), (random.poisson(1.0, size) for _ in range(count)))

    return reduce(np.add, in_parallel(sums_of, range(len(places))))


def _summed(summed: Callable[[np.ndarray], np.ndarray], drawn: Iterable[np.ndarray]) -> np.ndarray:
    """What is summed up for each of the resamples, some at a time."""
    rest, found = iter(drawn), []
    while block := list(islice(rest, AT_ONCE)):
        found.append(summed(np.array(block)))
    return np.concatenate(found)


@lru_cache(maxsize=1)
def _drawn(rows: int, count: int) -> np.ndarray:
    """The counts of so many `resamples` together, for the questions that are asked of the same rows; a byte for each.

    No row is drawn 256 times: the chance is less than 1 in 10 ** 500.
    """
    return np.array([counts.astype(np.uint8) for counts in islice(resamples(rows), count)])


def _resamples_of(rows: int) -> int:
    return min(RESAMPLES, max(FEWEST_RESAMPLES, MOST_DRAWS // rows))


def metric_draws(actual: np.ndarray, predictions: Mapping[str, np.ndarray]) -> dict[str, dict[str, np.ndarray]]:
    """Return model -> metric of `steps.metrics` -> its value on each resample, the same for all models."""
    shift = actual.mean()  # the variance is a difference of two sums: near zero they keep their digits

    def of_batch(batch: slice) -> Callable[[np.ndarray], np.ndarray]:
        here = actual[batch]
        columns = [np.ones(len(here)), here != 0, here - shift, (here - shift) ** 2]
        for predicted in predictions.values():
            error = np.abs(predicted[batch] - here)
            columns += [error, error**2, np.divide(error, np.abs(here), np.zeros_like(error), where=here != 0)]
        table = np.column_stack(columns).astype(float)

        def summed(counts: np.ndarray) -> np.ndarray:
            sums: np.ndarray | float = 0.0
            for piece in batches.batches(len(table), PIECE):
                sums = sums + np.array([one @ table[piece] for one in counts[:, piece].astype(float)])
            return np.asarray(sums)

        return summed

    sums = resampled_sums(len(actual), of_batch).T
    rows, divisible, offset, squared = sums[:4]
    variance = squared / rows - (offset / rows) ** 2
    draws = {}
    with np.errstate(divide="ignore", invalid="ignore"):  # NaN where a resample does not define the metric
        for index, name in enumerate(predictions):
            absolute, square, relative = sums[4 + 3 * index : 7 + 3 * index]
            mse = square / rows
            values = (absolute / rows, mse, np.sqrt(mse), 1 - mse / variance, relative / divisible)
            draws[name] = dict(zip(NAMES, values, strict=True))
    return draws


def standard_deviation(draws: np.ndarray) -> float:
    """The spread of the resamples on which the value is defined; 0 if there are fewer than two."""
    defined = draws[np.isfinite(draws)]
    return float(np.std(defined, ddof=1)) if len(defined) > 1 else 0.0


def confidence_interval(draws: np.ndarray, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """The percentile interval over the resamples on which the value is defined.

    Of a higher confidence than CONFIDENCE it is the normal one, where too few resamples lie outside.
    """
    tail, defined = (1 - confidence) / 2, draws[np.isfinite(draws)]
    if confidence > CONFIDENCE and tail * len(defined) < FEWEST_OUTSIDE:
        reach = NormalDist().inv_cdf(1 - tail) * standard_deviation(draws)
        return float(defined.mean() - reach), float(defined.mean() + reach)
    low, high = np.quantile(defined, [tail, 1 - tail])
    return float(low), float(high)
