"""Raising an input in test rows shows whether the predictions keep a rule."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from evaluation.rules import kept_rules
from steps import features as feature_module
from steps import fitting
from steps.hyperparameters import HYPERPARAMETERS
from steps.model import Model
from steps.row_source import InMemory
from steps.settings import Column, DataSettings
from steps.train import fit

COLUMNS = {
    "cost": Column(type="number"),
    "size": Column(type="number", range=(0, 20)),
    "rooms": Column(type="integer", range=(1, 9)),
    "new": Column(type="boolean"),
}
RULES = DataSettings(
    file="x.csv",
    target="cost",
    columns=COLUMNS,
    derived={"per_room": "size / rooms"},
    monotone={"size": "increasing", "new": "increasing"},
)


@pytest.fixture(scope="module", name="waves")
def rows_that_break_the_rule() -> pd.DataFrame:
    """More size costs less in places, and new costs less."""
    random = np.random.default_rng(5)
    size, rooms, new = random.uniform(0, 20, 900), random.integers(1, 10, 900), random.random(900) < 0.5
    cost = 100 + 5 * size + 20 * np.sin(size) - 10 * new + random.normal(0, 0.2 + 0.3 * size)
    return pd.DataFrame({"cost": cost, "size": size, "rooms": rooms, "new": new})


def trained(rows: pd.DataFrame, data: DataSettings, start: str) -> Model:
    fitted = fitting.fit(rows[:500], data)
    parts = [feature_module.transform(part, fitted).assign(cost=part["cost"]) for part in (rows[:500], rows[500:700])]
    chosen = {name: each.default for name, each in HYPERPARAMETERS.items()} | {
        "start": start,
        "rounds": 60,
        "threads": 1,
    }
    return fit(parts[0], parts[1], fitted, {**chosen, "learning_rate": 0.2})[0]


@pytest.mark.e2e
@pytest.mark.parametrize("start", ["line", "mean", "out_of_fold_line"])
def test_a_model_that_is_held_to_its_rules_keeps_them_in_prediction_and_interval(
    waves: pd.DataFrame, start: str
) -> None:
    found = kept_rules(trained(waves, RULES, start), InMemory(waves[700:]), RULES.monotone)
    assert (found["rows"], found["broken"], found["name"]) == (200, 0, "")
    assert {name: each["rule"] for name, each in found["inputs"].items()} == RULES.monotone


def test_a_model_without_rules_breaks_them_and_is_found(waves: pd.DataFrame) -> None:
    free = trained(waves, replace(RULES, monotone={}), "line")
    found = kept_rules(free, InMemory(waves[700:]), RULES.monotone)
    assert found["inputs"]["size"]["broken"] > 100
    assert found["inputs"]["size"]["worst"] > 0.05
    assert found["inputs"]["new"]["broken"] > 50
    assert found["name"] == "size"
    assert found["broken"] == sum(each["broken"] for each in found["inputs"].values())
    falling = kept_rules(free, InMemory(waves[700:]), {"size": "decreasing"})
    assert falling["inputs"]["size"]["broken"] > 190


def test_an_input_is_not_raised_beyond_what_its_range_allows(waves: pd.DataFrame) -> None:
    """At the upper end nothing can be raised, so nothing can break."""
    free = trained(waves, replace(RULES, monotone={}), "line")
    top = waves[700:].assign(size=20.0)
    assert kept_rules(free, InMemory(top), {"size": "decreasing"})["broken"] == 0


def test_without_rules_nothing_is_broken(waves: pd.DataFrame) -> None:
    model = trained(waves, replace(RULES, monotone={}), "line")
    assert kept_rules(model, InMemory(waves[700:]), {}) == {"rows": 200, "inputs": {}, "broken": 0, "name": ""}
