"""The assessor's statistics have the values of their definitions, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from evaluation.ratio_study import ratio_study

HUNDRED = np.full(4, 100.0)


def test_level_and_uniformity() -> None:
    found = ratio_study(HUNDRED, np.array([80.0, 100.0, 100.0, 140.0]))
    assert found.median_ratio == 1
    assert found.cod == pytest.approx(100 * (0.2 + 0.4) / 4)
    assert found.prd == pytest.approx(1)


def test_dear_rows_that_are_valued_too_low_are_regressive() -> None:
    actual = np.array([100.0, 300.0])
    found = ratio_study(actual, np.array([120.0, 240.0]))
    assert found.prd == pytest.approx(1.0 / (360 / 400))  # mean ratio over the ratio of the sums
    assert found.prb is None  # two rows do not tell
    assert found.vei is None


def test_vertical_equity_is_by_half_the_price_and_half_the_prediction() -> None:
    actual = np.repeat([100.0, 200.0], 20)
    predicted = np.repeat([110.0, 180.0], 20)
    found = ratio_study(actual, predicted)
    assert found.median_ratio == 1.0  # of 1.1 and 0.9
    proxies = np.log2([0.5 * 100 + 0.5 * 110, 0.5 * 200 + 0.5 * 180])
    assert found.prb == pytest.approx(-0.2 / (proxies[1] - proxies[0]))
    assert found.vei == pytest.approx(-20)


@pytest.mark.parametrize(("rows", "groups"), [(50, 2), (51, 4), (500, 4), (501, 10)])
def test_the_number_of_groups_follows_that_of_the_rows(rows: int, groups: int) -> None:
    """Only the dearest group is valued higher: its share decides whether the median of the last group shows it."""
    actual = np.arange(1000.0, 1000 + rows)
    dearest = actual >= np.quantile(actual, 1 - 0.6 / groups)
    assert ratio_study(actual, np.where(dearest, 1.1, 1.0) * actual).vei == pytest.approx(10)
    less = actual >= np.quantile(actual, 1 - 0.4 / groups)
    assert ratio_study(actual, np.where(less, 1.1, 1.0) * actual).vei == pytest.approx(0)


def test_rows_without_a_ratio_are_left_out() -> None:
    found = ratio_study(np.array([0.0, 100.0, 100.0]), np.array([50.0, 100.0, -5.0]))
    assert found.rows == 1
    assert ratio_study(np.zeros(3), np.ones(3)).median_ratio is None
    assert ratio_study(HUNDRED, HUNDRED).to_json()["editions"]["vei"] == "2026"


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (40, (0.9928490924, 12.7090918033, 1.0147283754, 0.00621, 6.5534337198)),
        (300, (1.0146451472, 11.5823028232, 1.0062994840, 0.00555, 2.0030928608)),
        (900, (0.9935559844, 12.3905083962, 1.0194957848, -0.02336, -10.0637683145)),
    ],
)
def test_they_are_those_of_the_library_ratio_study(rows: int, expected: tuple[float, ...]) -> None:
    """Computed with ratio-study 1.0.1, which rounds the PRB and takes 0.693 for the logarithm of 2."""
    random = np.random.default_rng(rows)
    actual = random.lognormal(12, 0.5, rows).round()
    predicted = (actual**0.93 * np.exp(0.07 * 12) * random.lognormal(0, 0.15, rows)).round()
    found = ratio_study(actual, predicted)
    assert (found.median_ratio, found.cod, found.prd, found.vei) == pytest.approx((*expected[:3], expected[4]))
    assert found.prb == pytest.approx(expected[3], abs=2e-5)
