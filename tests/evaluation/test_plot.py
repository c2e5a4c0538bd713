"""Plots are sound XML that stays inside its frame."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from evaluation.plot import HEIGHT, MOST_POINTS, WIDTH, scatter


@pytest.mark.parametrize("reference", ["diagonal", "zero"])
@pytest.mark.parametrize("values", [np.array([1.0, 2.0, 3e6]), np.array([5.0]), np.array([-1e-3, 1e-3])])
def test_points_lie_inside(reference: str, values: np.ndarray) -> None:
    image = scatter(values, values[::-1].copy(), "x < y", "y", reference)  # type: ignore[arg-type]
    ElementTree.fromstring(image)
    points = re.findall(r"M(-?\d+) (-?\d+)h0", image)
    assert len(points) == len(values)
    assert all(0 <= int(x) <= WIDTH and 0 <= int(y) <= HEIGHT for x, y in points)


def test_many_points_are_thinned() -> None:
    image = scatter(np.arange(50_000.0), np.arange(50_000.0), "x", "y", "diagonal")
    assert image.count("h0") == MOST_POINTS
    assert len(image) < 100_000
