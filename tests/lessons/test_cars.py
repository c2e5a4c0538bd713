"""A line, a plane, a hyperplane."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lessons.cars import draw, fit, keep
from lessons.errors import LessonError


@pytest.fixture(scope="module")
def cars() -> pd.DataFrame:
    """200 cars whose price is 20,000 - 0.1 x Mileage + 1,000 x Cylinder, without any noise."""
    random = np.random.default_rng(0)
    table = pd.DataFrame({"Mileage": random.integers(100, 50_000, 200), "Cylinder": random.choice([4, 6, 8], 200)})
    return table.assign(Doors=4 - table.index % 2, Price=20_000 - 0.1 * table["Mileage"] + 1_000 * table["Cylinder"])


def test_the_equation_is_that_of_the_prices(cars: pd.DataFrame) -> None:
    plane = fit(cars, ["Mileage", "Cylinder"])
    assert plane.equation == "Price = 20,000 - 0.1 x Mileage + 1,000 x Cylinder"
    assert (plane.shape, round(plane.r2, 6), round(plane.rmse)) == ("a plane", 1.0, 0)
    assert plane.price({"Mileage": 10_000, "Cylinder": 4}) == pytest.approx(23_000)


def test_a_line_leaves_what_it_does_not_know_as_its_error(cars: pd.DataFrame) -> None:
    line = fit(cars, ["Mileage"])
    assert line.shape == "a line"
    assert 1_000 < line.rmse < 2_500
    assert fit(cars, ["Mileage", "Cylinder", "Doors"]).shape == "a hyperplane of 3 features"


@pytest.mark.parametrize("features", [["Milage"], []])
def test_a_feature_that_there_is_none_of_is_named(cars: pd.DataFrame, features: list[str]) -> None:
    with pytest.raises(LessonError, match="choose from Mileage, Cylinder, Doors"):
        fit(cars, features)


def test_a_car_without_a_feature_has_no_price(cars: pd.DataFrame) -> None:
    with pytest.raises(LessonError, match="needs a value of Cylinder"):
        fit(cars, ["Mileage", "Cylinder"]).price({"Mileage": 1})


@pytest.mark.parametrize("features", [["Mileage"], ["Mileage", "Cylinder"], ["Mileage", "Cylinder", "Doors"]])
def test_each_shape_has_a_picture_and_is_kept_for_the_check(
    cars: pd.DataFrame, features: list[str], tmp_path: Path
) -> None:
    surface = fit(cars, features)
    draw(cars, surface, dict.fromkeys(features, 4.0), tmp_path / "made" / "cars.png")
    assert (tmp_path / "made" / "cars.png").read_bytes().startswith(b"\x89PNG")
    for _ in range(2):
        keep(surface, tmp_path / "cars.jsonl")
    assert len((tmp_path / "cars.jsonl").read_text().splitlines()) == 2
