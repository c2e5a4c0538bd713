"""The Bayesian strategy learns: it comes nearer to the best than chance does, and repeats itself for a seed."""

import math
import statistics
from collections.abc import Callable

import pytest

from local_sagemaker.tuning.bayesian import BayesianSearch, _fitted, expected_improvements
from local_sagemaker.tuning.ranges import Categories, Continuous, Range, Whole
from local_sagemaker.tuning.search import Candidate, random_candidates

pytestmark = pytest.mark.e2e

RANGES: list[Range] = [
    Continuous("rate", 1e-4, 1.0, "Logarithmic"),
    Whole("depth", 1, 12, "Linear"),
    Categories("kind", ("a", "b", "c")),
]


def loss(candidate: Candidate) -> float:
    """Smallest, 0, at rate 0.01, depth 5 and kind b."""
    rate, depth = math.log10(float(candidate["rate"])), int(candidate["depth"])
    return (rate + 2) ** 2 + ((depth - 5) / 3) ** 2 + (candidate["kind"] != "b")


def found(search: BayesianSearch, trials: int, objective: Callable[[Candidate], float]) -> list[Candidate]:
    tried = []
    for _ in range(trials):
        tried.append(next(search))
        search.tell(tried[-1], objective(tried[-1]))
    return tried


def test_it_comes_nearer_to_the_best_than_chance_does() -> None:
    learned, lucky = [], []
    for seed in range(2):
        learned.append(min(map(loss, found(BayesianSearch(RANGES, seed, maximize=False), 18, loss))))
        chance = random_candidates(RANGES, seed)
        lucky.append(min(loss(next(chance)) for _ in range(18)))
    assert statistics.mean(learned) < statistics.mean(lucky) / 2, (learned, lucky)


def test_more_is_better_as_less_is_and_the_same_seed_finds_the_same() -> None:
    less = found(BayesianSearch(RANGES, 1, maximize=False), 6, loss)
    more = found(BayesianSearch(RANGES, 1, maximize=True), 6, lambda each: -loss(each))
    assert less == more
    assert less != found(BayesianSearch(RANGES, 2, maximize=False), 6, loss)


def test_candidates_that_run_at_once_differ() -> None:
    search = BayesianSearch(RANGES, 2, maximize=False)
    found(search, 5, loss)
    at_once = [next(search) for _ in range(4)]
    assert len({tuple(each.values()) for each in at_once}) == 4


def test_the_improvement_that_is_expected_is_that_of_the_formula() -> None:
    model = _fitted([[0.0], [0.5], [1.0]], [0.0, 1.0, 0.0])
    [mean], [deviation] = model.predict([[0.7]], return_std=True)
    [found] = expected_improvements(model, [[0.7]], best=1.0)
    draws = [statistics.NormalDist(mean, deviation).inv_cdf((n + 0.5) / 4000) for n in range(4000)]
    assert found == pytest.approx(statistics.mean(max(draw - 1.0, 0) for draw in draws), rel=0.02, abs=1e-6)
