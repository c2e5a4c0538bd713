"""The strategy Bayesian: the next candidate is where a Gaussian process expects the most improvement.

The service treats tuning as a regression too, and chooses by expected improvement
(https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-how-it-works.html); its model is not published,
so this one finds other candidates. Expected improvement is that of Jones, Schonlau and Welch (1998), equation 15.
"""

import random
import warnings
from collections.abc import Sequence
from typing import Any

from local_sagemaker.tuning.ranges import Range
from local_sagemaker.tuning.search import Candidate, random_candidates

RANDOM_FIRST = 3  # candidates whose objective is known before the model is asked
POOL = 500  # random candidates among which the model chooses
NOISE = (1e-6, 1e-1)  # bounds of the share of the variance that is noise of the training


class BayesianSearch:
    """Draws at random first, and then what the model of all that is known finds most promising.

    Candidates that run count as if they had the mean that the model expects of them, so that those that run at once
    differ. The same seed finds the same candidates where one job runs at a time.
    """

    def __init__(self, ranges: Sequence[Range], seed: int | None, maximize: bool) -> None:
        self._ranges = ranges
        self._maximize = maximize
        self._dice = random.Random(seed)  # noqa: S311 - nobody is to be kept from guessing
        self._random = random_candidates(ranges, self._dice.randrange(2**32))
        self._tried: list[Candidate] = []
        self._known: dict[tuple[str, ...], float] = {}

    def __next__(self) -> Candidate:
        candidate = next(self._random) if len(self._known) < RANDOM_FIRST else self._most_promising()
        self._tried.append(candidate)
        return candidate

    def tell(self, candidate: Candidate, value: float) -> None:
        """Learn the objective of a candidate, also of one that another search has tried."""
        if candidate not in self._tried:
            self._tried.append(candidate)
        self._known[tuple(candidate.values())] = value if self._maximize else -value

    def _most_promising(self) -> Candidate:
        pool = [{each.name: each.draw(self._dice) for each in self._ranges} for _ in range(POOL)]
        fresh = [candidate for candidate in pool if candidate not in self._tried] or pool
        known = [candidate for candidate in self._tried if tuple(candidate.values()) in self._known]
        pending = [candidate for candidate in self._tried if tuple(candidate.values()) not in self._known]
        values = [self._known[tuple(candidate.values())] for candidate in known]
        model = _fitted(self._places(known), values)
        if pending:
            believed = [*values, *model.predict(self._places(pending))]
            model = _fitted(self._places([*known, *pending]), believed, model.kernel_)
        improvements = expected_improvements(model, self._places(fresh), max(values))
        return fresh[int(improvements.argmax())]

    def _places(self, candidates: Sequence[Candidate]) -> list[list[float]]:
        return [[x for each in self._ranges for x in each.place(candidate[each.name])] for candidate in candidates]


def expected_improvements(model: Any, places: list[list[float]], best: float) -> Any:
    """How much better than the best each place is expected to be; an array of as many numbers, none negative."""
    from scipy.stats import norm

    mean, deviation = model.predict(places, return_std=True)
    deviation = deviation.clip(1e-12)
    score = (mean - best) / deviation
    return (mean - best) * norm.cdf(score) + deviation * norm.pdf(score)


def _fitted(places: list[list[float]], values: list[float], kernel: Any = None) -> Any:
    """A Gaussian process of these values; with a kernel, its parameters stay as they are."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel
    from threadpoolctl import threadpool_limits

    shape = Matern([0.5] * len(places[0]), (0.05, 10.0), nu=2.5)
    own = ConstantKernel(1.0, (0.1, 10.0)) * shape + WhiteKernel(1e-3, NOISE)
    model = GaussianProcessRegressor(
        kernel or own, optimizer=None if kernel else "fmin_l_bfgs_b", normalize_y=True, random_state=0
    )
    with warnings.catch_warnings(), threadpool_limits(1):  # a few dozen points; the cores are for the jobs
        warnings.simplefilter("ignore", ConvergenceWarning)  # a parameter at its bound is an answer too
        return model.fit(places, values)
