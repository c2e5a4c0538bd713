"""The training rows that the report tells beside a sample."""

from evaluation.comparable_rows import comparables
from evaluation.labels import Labels

LABELS = Labels({"long": "longitude"})


def row(**differs: tuple[object, object]) -> dict[str, object]:
    told = {name: {"there": there, "here": here} for name, (there, here) in differs.items()}
    return {"price": 300000.0, "id": "7", "differs": told}


def test_a_row_says_its_target_its_name_and_what_differs() -> None:
    page = comparables([row(lift=(True, False), floor=(None, 2))], "price", "USD", LABELS)
    assert "<li>300,000 USD (7): lift yes instead of no, floor missing instead of 2</li>" in page


def test_values_that_differ_never_look_the_same() -> None:
    page = comparables([row(long=(-122.0911, -122.0914))], "price", "USD", LABELS)
    assert "longitude -122.0911 instead of -122.0914" in page


def test_without_any_row_nothing_is_said() -> None:
    assert comparables([], "price", "USD", LABELS) == ""
