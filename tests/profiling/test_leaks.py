"""What init says of columns that hold the target, and which it leaves out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from profiling.columns import drafts
from profiling.leaks import later, without_leaks

ROWS = 400


def homes(**more: object) -> pd.DataFrame:
    """Homes as a CSV file holds them: all values are texts."""
    random = np.random.default_rng(7)
    size = random.uniform(30, 160, ROWS).round(1)
    rooms = np.maximum(1, size // 25).astype(int)
    price = (size * 3000 * random.lognormal(0, 0.3, ROWS)).round()
    table = pd.DataFrame({"size": size, "rooms": rooms, "price": price})
    for name, make in more.items():
        assert callable(make)
        table[name] = make(table, random)
    return table.astype(str)


def looked_at(table: pd.DataFrame) -> tuple[list[str], list[str]]:
    """The columns that are left out, and what is said."""
    found = {each.name: each for each in drafts(table, np.zeros(len(table), dtype=bool), ",")}
    notes: list[str] = []
    columns = without_leaks(found, "price", np.ones(len(table), dtype=bool), notes)
    return [name for name, each in columns.items() if not each.column.get("feature", True)], notes


@pytest.mark.parametrize(
    "make",
    [
        lambda t, _: np.log(t["price"]).round(6),
        lambda t, r: (t["price"] * r.lognormal(0, 0.02, ROWS)).round(),
        lambda t, _: (t["price"] / t["size"]).round(2),
        lambda t, _: (t["price"] / t["rooms"]).round(),
        lambda t, _: pd.qcut(t["price"], 5, labels=list("ABCDE")),
        lambda t, _: "code " + (t["price"] // 4000).astype(int).astype(str),
        lambda t, _: [f"asking {price:.0f}" for price in t["price"]],
        lambda t, _: t["price"].rank(method="first").astype(int),
    ],
)
def test_what_holds_the_target_is_left_out_and_told(make: object) -> None:
    left_out, notes = looked_at(homes(told=make))
    assert left_out == ["told"]
    assert any("told" in note and "is left out as a leak" in note for note in notes), notes


def test_a_column_that_divides_the_target_is_not_said_to_explain_it() -> None:
    _, notes = looked_at(homes(dear=lambda t, _: t["price"] > t["price"].quantile(0.97)))
    assert "dear alone divides price into bands that hardly overlap and is left out as a leak: feature: false" in notes


def test_what_tells_most_of_the_target_is_told_and_kept() -> None:
    left_out, notes = looked_at(homes(listed=lambda t, r: (t["price"] * r.lognormal(0, 0.08, ROWS)).round()))
    assert left_out == []
    assert any(note.startswith("listed alone explains 9") and "set feature: false" in note for note in notes), notes


def test_parts_of_a_sum_are_told_together_and_kept() -> None:
    land = np.random.default_rng(1).uniform(0.2, 0.8, ROWS)
    left_out, notes = looked_at(homes(land=lambda t, _: t["price"] * land, house=lambda t, _: t["price"] * (1 - land)))
    assert left_out == []
    assert any("land" in note and "house" in note and "together explain 100.0% of price" in note for note in notes), (
        notes
    )


def test_a_sound_table_has_nothing_to_be_told_of() -> None:
    more = {f"noise{number}": lambda t, r: r.normal(size=ROWS).round(3) for number in range(20)}
    street = {"street": lambda t, r: [f"street {number}" for number in r.integers(0, 150, ROWS)]}
    assert looked_at(homes(**more, **street)) == ([], [])


def test_dates_after_the_rows_own_are_told() -> None:
    table = homes().assign(sold="2024-03-01", built="2020-01-01", paid="2024-04-01")
    found = {each.name: each for each in drafts(table, np.zeros(len(table), dtype=bool), ",")}
    notes: list[str] = []
    assert later(found, "sold", notes) == ["paid"]
    assert notes == ["paid is after sold in 100.0% of the rows: no feature is made of it"]
