"""Learned features are the formulas that they are said to be, and never hold a row's own target."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from steps.columns import rows_of
from steps.learned import KINDS, Neighbours, TargetEncoding, from_json, to_json
from steps.learned_settings import LearnedFeature

ENCODING = LearnedFeature(kind="target_encoding", of=("kind",), smoothing=2.0)
NEIGHBOURS = LearnedFeature(kind="neighbours", of=("x", "y"), count=2)


def own_numbers(kind: type[TargetEncoding] | type[Neighbours], *of: Any) -> np.ndarray:
    """What training rows get, learned from all of them but those of their group."""
    columns, value, _, groups = of
    return kind.of_training_rows(*of, np.arange(len(value)))[1].of_rows(columns, groups)


def columns(values: dict[str, list[Any]]) -> dict[str, np.ndarray]:
    """Columns as `steps.columns` holds them."""
    return {name: np.array(each, dtype=float if name in "xy" else object) for name, each in values.items()}


def test_encoding_is_the_mean_of_a_category_drawn_to_the_overall_mean() -> None:
    table = columns({"kind": ["a", "a", "b", None, "c"]})
    learned = TargetEncoding.learn(table, np.array([1.0, 3.0, 6.0, 2.0, np.nan]), ENCODING)
    # The mean of the four values is 3; "c" has no value and a new category has no row.
    new = columns({"kind": ["a", "b", None, "c", "d"]})
    expected = [(4 + 6) / 4, (6 + 6) / 3, (2 + 6) / 3, 3.0, 3.0]
    np.testing.assert_allclose(learned.of_rows(new), expected)


def test_encoding_of_two_categories_tells_their_combinations_apart() -> None:
    spec = LearnedFeature(kind="target_encoding", of=("kind", "place"), smoothing=0.0)
    table = columns({"kind": ["a", "a", "b"], "place": ["p", "q", "p"]})
    np.testing.assert_allclose(TargetEncoding.learn(table, np.array([1.0, 2, 3]), spec).of_rows(table), [1, 2, 3])


def test_neighbours_weigh_by_their_distance_and_missing_places_are_nan() -> None:
    table = columns({"x": [0.0, 3.0, 100.0, np.nan], "y": [0.0, 0.0, 0.0, 0.0]})
    learned = Neighbours.learn(table, np.array([10.0, 40.0, 999.0, 5.0]), NEIGHBOURS)
    # At (1, 0) the neighbours are 1 and 2 away, 1.5 on average: weights 1/2.5 and 1/3.5.
    weights = np.array([1 / 2.5, 1 / 3.5])
    expected = (weights @ [10, 40]) / weights.sum()
    found = learned.of_rows(columns({"x": [1.0, np.nan], "y": [0.0, 0.0]}))
    np.testing.assert_allclose(found, [expected, np.nan])


def test_neighbours_at_one_place_weigh_alike() -> None:
    table = columns({"x": [1.0, 1.0], "y": [1.0, 1.0]})
    assert Neighbours.learn(table, np.array([2.0, 4.0]), NEIGHBOURS).of_rows(
        rows_of(table, np.array([0]))
    ).tolist() == [3.0]


def test_scale_decides_which_neighbours_are_near() -> None:
    table = columns({"x": [1.0, 0.0], "y": [0.0, 2.0]})
    new, values = columns({"x": [0.0], "y": [0.0]}), np.array([10.0, 20.0])
    for scale, nearest in (((1.0, 1.0), 10.0), ((3.0, 1.0), 20.0)):
        spec = LearnedFeature(kind="neighbours", of=("x", "y"), count=1, scale=scale)
        assert Neighbours.learn(table, values, spec).of_rows(new).tolist() == [nearest]


@pytest.mark.parametrize("spec", [ENCODING, NEIGHBOURS], ids=lambda spec: spec.kind)
def test_a_row_that_is_alone_with_its_like_learns_nothing_from_itself(spec: LearnedFeature) -> None:
    """Rows at one place and of one category but of three groups: each sees only the other two."""
    table = columns({"kind": ["a"] * 4, "x": [0.0] * 4, "y": [0.0] * 4})
    groups, value = np.array([0.1, 0.5, 0.9, 0.9]), np.array([1.0, 2.0, 3.0, 4.0])
    found = own_numbers(KINDS[spec.kind], table, value, spec, groups)
    changed = own_numbers(KINDS[spec.kind], table, value + np.array([0, 0, 50, 70]), spec, groups)
    np.testing.assert_array_equal(found[2:], changed[2:])
    np.testing.assert_allclose(found[2:], 1.5)


def test_a_category_of_one_group_has_the_mean_of_the_others_also_without_smoothing() -> None:
    table = columns({"kind": ["a", "b", "b", None]})
    spec = LearnedFeature(kind="target_encoding", of=("kind",), smoothing=0.0)
    found = own_numbers(TargetEncoding, table, np.array([9.0, 1.0, 3.0, 5.0]), spec, np.array([0.1, 0.3, 0.5, 0.7]))
    np.testing.assert_allclose(found, [3.0, 3.0, 1.0, 13 / 3])


def test_without_any_other_row_there_is_no_number() -> None:
    table = columns({"kind": ["a", "a"], "x": [0.0, 1.0], "y": [0.0, 1.0]})
    for spec in (ENCODING, NEIGHBOURS):
        found = own_numbers(KINDS[spec.kind], table, np.array([1.0, 2.0]), spec, np.array([0.3, 0.3]))
        assert np.isnan(found).all()


def test_nearest_neighbours_are_those_of_a_search_by_brute_force() -> None:
    random = np.random.default_rng(3)
    points = random.normal(size=(300, 2))
    table = {"x": points[:, 0], "y": points[:, 1]}
    value, groups = random.normal(size=300), random.integers(0, 150, 300) / 150
    spec = LearnedFeature(kind="neighbours", of=("x", "y"), count=7)
    found = own_numbers(Neighbours, table, value, spec, groups)
    for row in range(300):
        distance = np.hypot(*(points - points[row]).T)
        others = np.flatnonzero(groups != groups[row])
        near = others[np.argsort(distance[others])[:7]]
        weights = 1 / (distance[near] + distance[near].mean())
        assert found[row] == pytest.approx(weights @ value[near] / weights.sum())


@pytest.mark.parametrize("spec", [NEIGHBOURS, ENCODING], ids=lambda spec: spec.kind)
def test_a_row_gets_the_same_number_to_the_last_bit_among_however_many_others(
    spec: LearnedFeature, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows at shared places, missing places among them, looked up a few at a time on two cores, and one by one."""
    random = np.random.default_rng(8)
    x, y = random.integers(0, 12, (2, 500)) / 8
    table = {"x": np.where(random.random(500) < 0.1, np.nan, x), "y": y, "kind": (x * 8).astype(int).astype(str)}
    value, groups = random.normal(size=500), random.integers(0, 100, 500) / 100
    learned = KINDS[spec.kind].learn(table, value, spec)
    one_by_one = [learned.of_rows(rows_of(table, np.array([row])))[0] for row in range(500)]
    own = own_numbers(KINDS[spec.kind], table, value, spec, groups)
    monkeypatch.setattr("steps.learned.CHUNK", 7)
    monkeypatch.setattr("steps.learned.cores", lambda: 2)
    np.testing.assert_array_equal(learned.of_rows(table), one_by_one)
    np.testing.assert_array_equal(own_numbers(KINDS[spec.kind], table, value, spec, groups), own)
    assert np.isnan(own).any() == (spec.kind == "neighbours")


def test_json_gives_the_features_back() -> None:
    table = columns({"kind": ["a", "b"], "x": [0.0, 1.0], "y": [0.0, 1.0]})
    learned = {spec.kind: KINDS[spec.kind].learn(table, np.array([1.0, 2.0]), spec) for spec in (ENCODING, NEIGHBOURS)}
    assert from_json(to_json(learned)) == learned
