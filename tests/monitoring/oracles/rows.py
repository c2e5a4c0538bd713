"""Rows that every library gets alike, made by Python's own generator: two months of sales, the second one changed."""

from __future__ import annotations

import random
from typing import Any

ROWS = 600
SIZE_NOW, LEVEL_NOW = 1.15, 1.06  # houses are larger, and dearer than the model says


def month(changed: bool) -> list[dict[str, Any]]:
    """ROWS sales with what a model says of them."""
    chance = random.Random(2 if changed else 1)
    return [_sale(chance, changed) for _ in range(ROWS)]


def _sale(chance: random.Random, changed: bool) -> dict[str, Any]:
    size = chance.gauss(120, 30) * (SIZE_NOW if changed else 1)
    rooms = max(1, round(size / 28 + chance.gauss(0, 0.7)))
    quarter = chance.choices("abcd", (4, 3, 2, 4 if changed else 1))[0]
    predicted = 3000 * size * (1.1 if quarter == "a" else 1)
    spread = 0.06 + 0.10 * (quarter == "d")
    price = predicted * pow(2.718281828, chance.gauss(0, spread)) * (LEVEL_NOW if changed else 1)
    return {
        "size": round(size, 2),
        "rooms": rooms,
        "quarter": quarter,
        "predicted": round(predicted, 2),
        "price": round(price, 2),
    }
