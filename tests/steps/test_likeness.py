"""What differences count is measured on the same rows, wherever the table is and however many hosts share it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from steps.hosts import ALONE
from steps.likeness import EXPLAINED, Likeness
from steps.shard import Shard
from steps.stored_table import StoredTable
from tests.steps.test_starting_point import features

FITTED = features(levels=3)  # x and kind


def table(rows: int) -> pd.DataFrame:
    random = np.random.default_rng(2)
    return pd.DataFrame({"x": random.normal(size=rows), "kind": random.integers(0, 3, rows).astype(float)})


def test_an_even_draw_of_the_rows_is_explained() -> None:
    few, many = table(10), table(10_000)
    pd.testing.assert_frame_equal(Likeness.of(few, FITTED, Shard.whole(10)).explained, few)
    found = Likeness.of(many, FITTED, Shard.whole(10_000))
    places = np.linspace(0, 9_999, EXPLAINED).astype(int)
    np.testing.assert_array_equal(found.explained.to_numpy(), many.iloc[places].to_numpy())
    deviation = (many["x"] - many["x"].mean()).abs().mean()
    assert found.spreads == {"x": float(deviation), "kind": 1.0}


def test_rows_of_another_host_are_left_to_it() -> None:
    """This one has the rows from 200 to 300, and those from 700; the others' are 0 until all hosts' are added."""
    whole = table(1000)
    own = pd.concat([whole[200:300], whole[700:]], ignore_index=True)
    found = Likeness.of(own, FITTED, Shard(ALONE, ((200, 300), (700, 1000)), 1000)).explained
    places = np.linspace(0, 999, EXPLAINED).astype(int)
    here = ((places >= 200) & (places < 300)) | (places >= 700)
    np.testing.assert_array_equal(found[here].to_numpy(), whole.iloc[places[here]].to_numpy())
    assert not found[~here].to_numpy().any()


def test_a_table_in_a_file_gives_the_same(tmp_path: Path) -> None:
    held = table(1000)
    stored = StoredTable(list(held), len(held), tmp_path)
    stored.put(0, held)
    one, other = (Likeness.of(each, FITTED, Shard.whole(1000)) for each in (held, stored))
    pd.testing.assert_frame_equal(one.explained, other.explained)
    assert one.spreads == other.spreads
