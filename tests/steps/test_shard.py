"""What is random about a row follows its place among all rows, whichever host has it and in whatever parts."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steps import shard as shard_module
from steps.hosts import ALONE
from steps.shard import Shard


def folds(random: np.random.Generator, rows: int) -> np.ndarray:
    return random.permutation(rows) % 5


@given(st.lists(st.integers(0, 9), min_size=1, max_size=12), st.integers(1, 4), st.integers(0, 3))
def test_rows_draw_the_same_in_any_parts_on_any_host(sizes: list[int], hosts: int, seed: int) -> None:
    ends = np.cumsum(sizes).tolist()
    runs = list(zip([0, *ends], ends, strict=False))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shard_module, "BLOCK", 7)
        whole = Shard.whole(ends[-1]).drawn(folds, seed)
        for host in range(hosts):
            own = Shard(ALONE, tuple(runs[host::hosts]), ends[-1])
            expected = np.concatenate([whole[start:end] for start, end in own.runs]) if own.runs else whole[:0]
            np.testing.assert_array_equal(own.drawn(folds, seed), expected)
    assert len(whole) == ends[-1]


def test_the_first_block_draws_as_the_seed_alone_does() -> None:
    np.testing.assert_array_equal(Shard.whole(1000).drawn(folds, 5), folds(np.random.default_rng(5), 1000))


def test_blocks_draw_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shard_module, "BLOCK", 50)
    drawn = Shard.whole(100).drawn(folds, 0)
    assert (drawn[:50] != drawn[50:]).any()


def test_a_block_is_drawn_once_for_all_runs_in_it() -> None:
    """Of many parts each would else draw its block again, and keep all of it."""
    asked = []

    def counted(random: np.random.Generator, rows: int) -> np.ndarray:
        asked.append(rows)
        return folds(random, rows)

    ends = range(0, 101, 10)
    Shard(ALONE, tuple(pairwise(ends)), 100).drawn(counted, 0)
    assert asked == [100]


def test_mean_and_variance_are_those_of_numpy_to_the_last_bit() -> None:
    values = np.random.default_rng(3).lognormal(9, 2, (4001, 7))
    shard = Shard.whole(len(values))
    np.testing.assert_array_equal(shard.mean(values), values.mean(axis=0))
    np.testing.assert_array_equal(shard.variance(values), values.var(axis=0))


def test_rows_behind_others_keep_their_places_apart() -> None:
    both = Shard(ALONE, ((2, 4),), 10) + Shard(ALONE, ((1, 3),), 5)
    assert (both.runs, both.total) == (((2, 4), (11, 13)), 15)
