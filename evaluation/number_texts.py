"""Numbers as the reports write them."""

from __future__ import annotations


def percent(value: float) -> str:
    """0.1234 as 12.3 %."""
    return f"{value:.1%}".replace("%", " %")


def signed(value: float) -> str:
    """0.012 as +1.2 %."""
    return f"{value:+.1%}".replace("%", " %")


def counted(number: int, one: str, many: str) -> str:
    """A number with what it counts, and the verb that goes with it: 1 sale is, 2,000 sales are."""
    return f"{number:,} {one if number == 1 else many}"


def amount(value: float) -> str:
    """1,500,000 as 1.5M, 20,000 as 20k."""
    for size, name in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.4g}{name}"
    return f"{value:.4g}"
