"""Prices that came later, in Model Monitor's layout of ground truth, joined with requests by inferenceId."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from monitoring.seen_before import code_of

FURTHEST = 3.0  # times the prices, in the median: what a market, or a model that can be used, may be off by
NEAR = 0.25  # of a power of ten, as a difference of logarithms


class Prices:
    """The price of each key, in sixteen bytes, however many there are: by the code of the key, as in SeenBefore."""

    def __init__(self, codes: np.ndarray, prices: np.ndarray) -> None:
        self._codes, self._prices = codes, prices  # the codes in their order, each once

    def __len__(self) -> int:
        return len(self._codes)

    def __contains__(self, key: object) -> bool:
        return self._place(str(key)) is not None

    def of(self, keys: Iterable[str]) -> dict[str, float]:
        """The prices of those keys that have one."""
        places = {key: self._place(key) for key in keys}
        return {key: float(self._prices[place]) for key, place in places.items() if place is not None}

    def _place(self, key: str) -> int | None:
        code = np.uint64(code_of(key))
        place = int(self._codes.searchsorted(code))
        return place if place < len(self._codes) and self._codes[place] == code else None


@dataclass(frozen=True)
class Truth:
    """What is known of prices. repeated: lines of a key that had a price before; contradicted: with another price.

    Of several prices the last one counts.
    """

    prices: Prices
    repeated: int = 0
    contradicted: int = 0
    unreadable: int = 0


def read_truth(folder: Path) -> Truth:
    """Read the files (*.jsonl) below a folder in the order of their paths, which is that of time.

    Source of the layout: "Ingest ground truth labels and merge them with predictions", SageMaker Developer Guide.
    """
    codes, prices, unreadable = array("Q"), array("d"), 0
    for line in _lines(folder):
        try:
            code, price = _priced(line)
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            unreadable += 1
            continue
        codes.append(code)
        prices.append(price)
    return _latest(np.frombuffer(codes, dtype=np.uint64), np.frombuffer(prices, dtype=float), unreadable)


def _lines(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*.jsonl")) if folder.is_dir() else ():
        with path.open(encoding="utf-8", errors="replace") as lines:
            yield from filter(str.strip, lines)


def _priced(line: str) -> tuple[int, float]:
    event = json.loads(line)
    key, price = str(event["eventMetadata"]["eventId"]), float(event["groundTruthData"]["data"])
    if not np.isfinite(price):
        raise ValueError("not a number")
    return code_of(key), price


def _latest(codes: np.ndarray, prices: np.ndarray, unreadable: int) -> Truth:
    """The last price of each code, and how many lines came before it."""
    order = np.argsort(codes, kind="stable")
    codes, prices = codes[order], prices[order]
    again = codes[1:] == codes[:-1]
    last = np.append(~again, True)[: len(codes)]
    contradicted = int(np.count_nonzero(again & (prices[1:] != prices[:-1])))
    return Truth(Prices(codes[last], prices[last]), int(np.count_nonzero(again)), contradicted, unreadable)


def other_scale(actual: np.ndarray, predicted: np.ndarray) -> float | None:
    """How many times the actual values the predictions are (below 1: smaller), if no market moves so far; else None.

    Prices in thousands, in cents or in another currency are not a model that is wrong. What is near a power of ten is
    told as that.
    """
    known = (actual > 0) & (predicted > 0)
    if not known.any():
        return None
    middle = float(np.median(np.log(predicted[known] / actual[known])))
    if abs(middle) < np.log(FURTHEST):
        return None
    tens = 10.0 ** round(middle / np.log(10))
    return tens if abs(middle - np.log(tens)) < NEAR else float(np.exp(middle))
