"""What a drill changes, and what is said of one that cannot be."""

import numpy as np
import pandas as pd
import pytest

from profiling.drills import Columns, Drill, changed, drawn, early
from steps.settings import Column, DataSettings

DATA = DataSettings(
    file="x.csv",
    target="price",
    identity=("key",),
    date="sold",
    columns={
        "key": Column(type="text", feature=False),
        "sold": Column(type="date"),
        "price": Column(type="number", unit="EUR", range=(1000, 10_000_000)),
        "rooms": Column(type="number", range=(1, 20)),
        "size": Column(type="number", range=(1, 1000)),
        "quarter": Column(type="category"),
    },
)
COLUMNS = Columns("size", "quarter")


def rows(count: int = 1000) -> pd.DataFrame:
    random = np.random.default_rng(1)
    size = random.uniform(30, 200, count)
    quarter = pd.Series(random.choice(list("abc"), count)).astype("category")
    return pd.DataFrame({"price": size * 3000, "rooms": 3, "size": size, "quarter": quarter})


def after(text: str) -> pd.DataFrame:
    return changed(rows(), Drill.parse(text), COLUMNS, "price", np.random.default_rng(2))


def test_a_price_level_changes_every_price_and_nothing_else() -> None:
    found = after("price-level=+5%")
    assert np.allclose(found["price"] / rows()["price"], 1.05)
    assert np.allclose(after("price-level=-2.5%")["price"] / rows()["price"], 0.975)
    assert found.drop(columns="price").equals(rows().drop(columns="price"))


def test_each_other_drill_changes_what_it_says() -> None:
    assert np.allclose(after("unit-change")["size"], rows()["size"] / 10.764)
    whole = changed(rows().assign(size=1000), Drill("unit-change"), COLUMNS, "price", np.random.default_rng(1))["size"]
    assert (whole == 93).all()  # an integer column stays one, as the endpoint wants it
    moved = after("new-zipcodes")["quarter"] == "98999"
    assert 0.03 < moved.mean() < 0.07
    assert after("none").equals(rows())


def test_larger_houses_come_three_times_as_often_in_one_drill_alone() -> None:
    pool = rows()
    larger = pool["size"] > pool["size"].median()
    for text, least, most in (("covariate", 0.72, 0.78), ("none", 0.47, 0.53), ("unit-change", 0.47, 0.53)):
        places = drawn(pool, 4000, Drill.parse(text), COLUMNS, np.random.default_rng(4))
        assert len(places) == 4000
        assert least < larger.to_numpy()[places].mean() < most, text


def test_prices_come_late_in_one_drill_alone() -> None:
    known = early(rows(), Drill("label-delay"), np.random.default_rng(3))
    assert 0.15 < known.mean() < 0.25
    assert early(rows(), Drill("none"), np.random.default_rng(3)).all()


def test_what_is_to_be_found_is_known_beforehand() -> None:
    assert Drill.parse("price-level=+5%").finders == ("level",)
    assert Drill.parse("price-level=0%").finders == ()
    assert Drill.parse("none").finders == Drill.parse("label-delay").finders == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("prices", "'prices' is not a drill: choose from price-level"),
        ("", "'' is not a drill"),
        ("price-level", "is not a change of all prices such as"),
        ("price-level=5", "is not a change of all prices such as"),
        ("price-level=-100%", "is not a change of all prices such as"),
        ("schema=2", "schema takes no value, and '2' is given"),
    ],
)
def test_what_is_no_drill_is_said(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Drill.parse(text)


def test_the_columns_are_the_place_of_the_map_and_the_largest_number() -> None:
    assert Columns.of(DATA, "quarter") == COLUMNS
    columns = {
        "lat": Column(type="number", range=(-90, 90)),
        "rooms": Column(type="integer", range=(1, 20)),
        "living_area": Column(type="integer", range=(10, 15)),
        "lot": Column(type="integer", range=(1, 5_000_000)),
        "price": Column(type="integer"),
    }
    data = DataSettings(file="x.csv", target="price", columns=columns)
    assert Columns.of(data, None).size == "living_area"
    del columns["living_area"]
    assert Columns.of(DataSettings(file="x.csv", target="price", columns=columns), None).size == "lot"
    with pytest.raises(ValueError, match="names no place"):
        changed(rows(), Drill("new-zipcodes"), Columns("size", None), "price", np.random.default_rng(1))
