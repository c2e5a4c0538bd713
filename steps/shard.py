"""The rows of one host among the rows of all: what is random about a row follows its place, whoever has it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from steps.hosts import ALONE, Hosts

BLOCK = 1 << 20  # rows that are drawn for at a time, so that a draw needs little memory


@dataclass(frozen=True)
class Shard:
    """runs: (start, end) of the places of this host's rows, in their order. total: the rows of all hosts."""

    hosts: Hosts
    runs: tuple[tuple[int, int], ...]
    total: int

    @classmethod
    def whole(cls, rows: int) -> Shard:
        """All rows on one host."""
        return cls(ALONE, ((0, rows),), rows)

    def __add__(self, other: Shard) -> Shard:
        """The rows of both, those of `other` behind all of these."""
        behind = tuple((start + self.total, end + self.total) for start, end in other.runs)
        return Shard(self.hosts, self.runs + behind, self.total + other.total)

    def drawn(self, draw: Callable[[np.random.Generator, int], np.ndarray], seed: int) -> np.ndarray:
        """What `draw` says of this host's rows: a function of a generator and a number of rows.

        It is asked block by block, each with a generator of its own, whichever rows are here.
        """
        found: list[np.ndarray] = []
        drawn, numbers = -1, np.empty(0)
        for start, end in self.runs:
            for block in range(start // BLOCK, -(-end // BLOCK)):
                first = block * BLOCK
                if block != drawn:  # else several runs lie in it
                    # The generator of the first block is that of the seed alone.
                    numbers = draw(np.random.default_rng([seed, block]), min(BLOCK, self.total - first))
                    drawn = block
                found.append(numbers[max(start - first, 0) : end - first].copy())
        return np.concatenate(found) if found else draw(np.random.default_rng(seed), 0)

    def mean(self, values: np.ndarray) -> np.ndarray:
        """The mean over the rows of all hosts; `values` (rows, ...) are of this host's."""
        return np.asarray(self.hosts.total(values.sum(axis=0)) / self.total)

    def variance(self, values: np.ndarray) -> np.ndarray:
        """The mean squared deviation from the mean over the rows of all hosts; `values` (rows, ...) are of this one."""
        return self.mean((values - self.mean(values)) ** 2)
