"""Scatter plots as inline SVG, small enough for a self-contained page."""

from __future__ import annotations

from html import escape
from typing import Literal

import numpy as np

WIDTH, HEIGHT = 480, 400
LEFT, RIGHT, TOP, BOTTOM = 64, 12, 12, 48
MOST_POINTS = 4000


def scatter(x: np.ndarray, y: np.ndarray, x_label: str, y_label: str, reference: Literal["diagonal", "zero"]) -> str:
    """Draw points with a line of reference (y = x or y = 0); of many, an even selection of MOST_POINTS."""
    chosen = np.linspace(0, len(x) - 1, min(len(x), MOST_POINTS)).astype(int)
    x, y = x[chosen], y[chosen]
    x_range = _range(np.concatenate([x, y]) if reference == "diagonal" else x)
    y_range = x_range if reference == "diagonal" else _range(np.append(y, 0.0))
    points = "".join(
        f"M{px:.0f} {py:.0f}h0" for px, py in zip(_horizontal(x, x_range), _vertical(y, y_range), strict=True)
    )
    ends = np.array(x_range)
    line_x, line_y = (
        _horizontal(ends, x_range),
        _vertical(ends if reference == "diagonal" else ends * 0, y_range),
    )
    return (
        f"<svg viewBox='0 0 {WIDTH} {HEIGHT}' role='img' aria-label='{escape(y_label)} over {escape(x_label)}'>"
        f"{_axes(x_range, y_range)}"
        f"<path d='{points}' stroke='#2563a8' stroke-opacity='.35' stroke-width='4' stroke-linecap='round'/>"
        f"<path d='M{line_x[0]:.0f} {line_y[0]:.0f}L{line_x[1]:.0f} {line_y[1]:.0f}' stroke='#a3202a'/>"
        f"<text x='{(LEFT + WIDTH - RIGHT) / 2}' y='{HEIGHT - 8}' text-anchor='middle' font-size='13'>"
        f"{escape(x_label)}</text>"
        f"<text transform='translate(14 {(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)' text-anchor='middle' "
        f"font-size='13'>{escape(y_label)}</text></svg>"
    )


def _range(values: np.ndarray) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    margin = (high - low) * 0.02 or 1.0
    return low - margin, high + margin


def _horizontal(values: np.ndarray, limits: tuple[float, float]) -> np.ndarray:
    return np.asarray(LEFT + (values - limits[0]) / (limits[1] - limits[0]) * (WIDTH - LEFT - RIGHT))


def _vertical(values: np.ndarray, limits: tuple[float, float]) -> np.ndarray:
    return np.asarray(HEIGHT - BOTTOM - (values - limits[0]) / (limits[1] - limits[0]) * (HEIGHT - TOP - BOTTOM))


def _ticks(limits: tuple[float, float]) -> np.ndarray:
    """About five round numbers: multiples of 1, 2 or 5 times a power of ten."""
    rough = (limits[1] - limits[0]) / 5
    power = 10.0 ** np.floor(np.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    return np.asarray(np.arange(np.ceil(limits[0] / step), np.floor(limits[1] / step) + 1) * step)


def _axes(x_range: tuple[float, float], y_range: tuple[float, float]) -> str:
    parts = []
    for value, at in zip(_ticks(x_range), _horizontal(_ticks(x_range), x_range), strict=True):
        parts.append(f"<path d='M{at:.0f} {TOP}V{HEIGHT - BOTTOM}' stroke='#e3e7ed'/>")
        parts.append(f"<text x='{at:.0f}' y='{HEIGHT - BOTTOM + 16}' text-anchor='middle'>{_short(value)}</text>")
    for value, at in zip(_ticks(y_range), _vertical(_ticks(y_range), y_range), strict=True):
        parts.append(f"<path d='M{LEFT} {at:.0f}H{WIDTH - RIGHT}' stroke='#e3e7ed'/>")
        parts.append(f"<text x='{LEFT - 6}' y='{at + 4:.0f}' text-anchor='end'>{_short(value)}</text>")
    return f"<g font-size='11' fill='#566173'>{''.join(parts)}</g>"


def _short(value: float) -> str:
    """1,500,000 as 1.5M, 20,000 as 20k."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:g}{unit}"
    return f"{value:.4g}"
