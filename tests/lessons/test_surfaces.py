"""A line, a plane, a hyperplane."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lessons.errors import LessonError
from lessons.surfaces import Priced, draw, fit, keep, read_houses


@pytest.fixture(scope="module")
def cars() -> Priced:
    """200 cars whose price is 20,000 - 0.1 x Mileage + 1,000 x Cylinder, without any noise."""
    random = np.random.default_rng(0)
    table = pd.DataFrame({"Mileage": random.integers(100, 50_000, 200), "Cylinder": random.choice([4, 6, 8], 200)})
    prices = 20_000 - 0.1 * table["Mileage"] + 1_000 * table["Cylinder"]
    return Priced("car", table.assign(Doors=4 - table.index % 2, Make="Saab", Price=prices), "Price")


def test_the_equation_is_that_of_the_prices(cars: Priced) -> None:
    plane = fit(cars, ["Mileage", "Cylinder"])
    assert plane.equation == "Price = 20,000 - 0.1 x Mileage + 1,000 x Cylinder"
    assert (plane.shape, round(plane.r2, 6), round(plane.rmse)) == ("a plane", 1.0, 0)
    assert plane.price({"Mileage": 10_000, "Cylinder": 4}) == pytest.approx(23_000)


def test_a_line_leaves_what_it_does_not_know_as_its_error(cars: Priced) -> None:
    line = fit(cars, ["Mileage"])
    assert line.shape == "a line"
    assert 1_000 < line.rmse < 2_500
    assert fit(cars, ["Mileage", "Cylinder", "Doors"]).shape == "a hyperplane of 3 features"


@pytest.mark.parametrize("features", [["Milage"], [], ["Make"]])
def test_a_feature_that_there_is_none_of_is_named(cars: Priced, features: list[str]) -> None:
    with pytest.raises(LessonError, match="choose from Mileage, Cylinder, Doors"):
        fit(cars, features)


def test_a_car_without_a_feature_has_no_price(cars: Priced) -> None:
    with pytest.raises(LessonError, match="needs a value of Cylinder"):
        fit(cars, ["Mileage", "Cylinder"]).price({"Mileage": 1})


@pytest.mark.e2e
@pytest.mark.parametrize("features", [["Mileage"], ["Mileage", "Cylinder"], ["Mileage", "Cylinder", "Doors"]])
def test_each_shape_has_a_picture_and_is_kept_for_the_check(cars: Priced, features: list[str], tmp_path: Path) -> None:
    surface = fit(cars, features)
    draw(cars, surface, dict.fromkeys(features, 4.0), tmp_path / "made" / "cars.png")
    assert (tmp_path / "made" / "cars.png").read_bytes().startswith(b"\x89PNG")
    for _ in range(2):
        keep(surface, tmp_path / "cars.jsonl")
    assert len((tmp_path / "cars.jsonl").read_text().splitlines()) == 2


def test_houses_have_a_line_too_and_an_id_is_no_feature(tmp_path: Path) -> None:
    sizes = np.arange(100, 200)
    table = pd.DataFrame({"id": sizes, "date": "2014-10-13", "sqft_living": sizes, "price": 300.0 * sizes})
    table.to_parquet(tmp_path / "houses.parquet")
    houses = read_houses(tmp_path / "houses.parquet")
    line = fit(houses, ["sqft_living"])
    assert (line.noun, line.price({"sqft_living": 150})) == ("house", pytest.approx(45_000))
    with pytest.raises(LessonError, match=r"choose from sqft_living\."):
        fit(houses, ["id"])
    with pytest.raises(LessonError, match="make data"):
        read_houses(tmp_path / "none.parquet")
