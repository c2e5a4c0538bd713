"""What people call the features, and how they read their values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from evaluation.labels import Labels
from steps.settings import DataSettings, JobSettings

DATA: dict[str, Any] = {
    "file": "rents.csv",
    "target": "rent",
    "columns": {
        "rent": {"type": "number", "unit": "EUR"},
        "area": {"type": "number", "unit": "m2"},
        "lift": {"type": "boolean"},
        "district": {"type": "category"},
    },
    "learned": {
        "nearby": {"kind": "target_encoding", "of": ["district"], "value": "log(rent / area)"},
        "typical": {"kind": "target_encoding", "of": ["district"]},
        "ratio": {"kind": "target_encoding", "of": ["district"], "value": "log(rent) / log(area)"},
    },
}
NAMES = {"nearby": "rent per m2 nearby", "lift": "has a lift", "area": "living area"}


def data(**changes: Any) -> DataSettings:
    return JobSettings.from_json({"data": {**DATA, **changes}}).data


@pytest.fixture(name="labels")
def labels_of_rents() -> Labels:
    return Labels.of(data(), NAMES)


def test_a_feature_without_a_label_is_called_as_it_is(labels: Labels) -> None:
    assert [labels.name(name) for name in ("nearby", "district")] == ["rent per m2 nearby", "district"]


def test_features_that_say_the_same_are_called_one_by_one(labels: Labels) -> None:
    assert labels.name("district + nearby") == "district + rent per m2 nearby"


def test_a_learned_logarithm_is_read_as_what_it_is_of(labels: Labels) -> None:
    assert labels.text("nearby", np.log(12.5)) == "12.5"
    assert labels.text("typical", np.log(900.0)) == "900"  # by default the target's logarithm
    assert labels.text("ratio", 1.5) == "1.5"  # of two logarithms, which is none
    assert Labels.of(data(target_scale="linear"), {}).text("typical", 900.0) == "900"


def test_an_axis_has_numbers_also_of_what_is_true_or_not(labels: Labels) -> None:
    assert list(labels.numbers("lift", np.array([0.0, 1.0]))) == [0.0, 1.0]
    assert labels.numbers("nearby", np.log([2.0, 4.0])) == pytest.approx([2.0, 4.0])


@pytest.mark.parametrize(
    ("feature", "value", "text"),
    [
        ("lift", 1, "yes"),
        ("lift", 0.0, "no"),
        ("lift", None, "None"),
        ("area", 1234.5, "1,234.5 m2"),
        ("district", "south", "south"),
    ],
)
def test_values_are_told_as_people_read_them(labels: Labels, feature: str, value: Any, text: str) -> None:
    assert labels.text(feature, value) == text


@pytest.mark.parametrize(
    ("feature", "difference", "text"),
    [
        ("lift", 0.2, "has a lift: yes instead of no"),
        ("nearby", np.log(1.25), "rent per m2 nearby: 25 % more"),
        ("area", 20.0, "living area: 20 m2 more"),
        ("ratio", 0.5, "ratio: 0.5 more"),
    ],
)
def test_differences_are_told_as_people_say_them(labels: Labels, feature: str, difference: float, text: str) -> None:
    assert labels.more(feature, difference) == text
