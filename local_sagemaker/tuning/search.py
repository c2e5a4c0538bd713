"""Which candidates a tuning job tries, by the strategies that learn nothing on the way."""

import itertools
import math
import random
from collections.abc import Iterator, Sequence
from typing import Protocol

from local_sagemaker.errors import invalid
from local_sagemaker.tuning.ranges import Categories, Range

Candidate = dict[str, str]


class Search(Protocol):
    """Candidates, one after another, from something that may learn what came of them."""

    def __next__(self) -> Candidate: ...

    def tell(self, candidate: Candidate, value: float) -> None:
        """The objective of a candidate."""


class Blind:
    """A search that goes on the same whatever comes of it."""

    def __init__(self, candidates: Iterator[Candidate]) -> None:
        self._candidates = candidates

    def __next__(self) -> Candidate:
        return next(self._candidates)

    def tell(self, candidate: Candidate, value: float) -> None:
        """Nothing is made of it."""


DRAWS = 100  # attempts at a candidate that has not been tried yet


def random_candidates(ranges: Sequence[Range], seed: int | None) -> Iterator[Candidate]:
    """Independent draws without end, the same for the same seed; none twice while others can still be found."""
    dice = random.Random(seed)  # noqa: S311 - nobody is to be kept from guessing
    tried: set[tuple[str, ...]] = set()
    while True:
        for _ in range(DRAWS):
            values = tuple(each.draw(dice) for each in ranges)
            if values not in tried:
                break
        tried.add(values)
        yield dict(zip((each.name for each in ranges), values, strict=True))


def grid_candidates(ranges: Sequence[Range]) -> Iterator[Candidate]:
    """Every combination of the categories, in their order."""
    categories = _categories(ranges)
    for values in itertools.product(*(each.values for each in categories)):
        yield dict(zip((each.name for each in categories), values, strict=True))


def grid_size(ranges: Sequence[Range]) -> int:
    """The number of combinations; ValidationException where a range is not categorical, as the service has it."""
    return math.prod(len(each.values) for each in _categories(ranges))


def _categories(ranges: Sequence[Range]) -> list[Categories]:
    others = [each.name for each in ranges if not isinstance(each, Categories)]
    if others:
        raise invalid(f"The strategy Grid takes only categorical parameters, not {', '.join(others)}.")
    return [each for each in ranges if isinstance(each, Categories)]
