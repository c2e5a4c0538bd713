"""What a shadow variant answered beside what serves, from what was captured of both."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import chain
from statistics import fmean

from studio.pages.captured import Captured
from studio.pages.metrics import is_number
from studio.pages.prediction import read_answer


@dataclass(frozen=True)
class Pair:
    """One prediction of both for the same request."""

    when: str
    request: str
    serving: float
    shadow: float

    @property
    def difference(self) -> float:
        """shadow - serving, as a fraction of what serves; of 0, infinite where the shadow says another number."""
        if self.serving == 0:
            return 0.0 if self.shadow == 0 else float("inf")
        return (self.shadow - self.serving) / abs(self.serving)


@dataclass(frozen=True)
class Comparison:
    """The pairs, newest first, and how many requests of the newest files only one of both has answered."""

    pairs: tuple[Pair, ...]
    alone: int

    @property
    def mean(self) -> float:
        """The mean difference."""
        return fmean(pair.difference for pair in self.pairs)

    @property
    def largest(self) -> float:
        """The largest difference, in either direction."""
        return max((pair.difference for pair in self.pairs), key=abs)


def compared(captured: Sequence[Captured], shadows: Collection[str]) -> Comparison:
    """Pair the answers to equal requests, the newest to the newest where one was sent several times."""
    waiting: dict[str, list[Captured]] = defaultdict(list)
    for each in captured:
        if each.variant in shadows:
            waiting[each.request].append(each)
    pairs, alone = [], 0
    for each in captured:
        if each.variant in shadows:
            continue
        if waiting[each.request]:
            pairs.append(_pairs(each, waiting[each.request].pop(0)))
        else:
            alone += 1
    return Comparison(tuple(chain.from_iterable(pairs)), alone + sum(map(len, waiting.values())))


def _pairs(serving: Captured, shadow: Captured) -> list[Pair]:
    """A pair for each row of a request that both answered with a number."""
    both = zip(_numbers(serving.answer), _numbers(shadow.answer), strict=False)
    request = serving.shown[0]
    return [Pair(serving.when, request, old, new) for old, new in both if old is not None and new is not None]


def _numbers(answer: str) -> list[float | None]:
    """The predictions of an answer; None for what is not a number."""
    return [_number(row.value) for row in read_answer(answer)[0]]


def _number(value: object) -> float | None:
    try:
        number = float(value) if isinstance(value, (str, int, float)) else None
    except ValueError:
        return None
    return number if is_number(number) else None
