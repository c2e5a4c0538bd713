"""What every figure of the reports has in common: its look, its axes, and its image as PNG."""

from __future__ import annotations

import io
import textwrap
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from evaluation.number_texts import amount

WIDTH, HEIGHT, RESOLUTION = 4.8, 3.8, 160  # inches, inches, dots per inch: sharp on a phone, light in the page
BLUE, RED, GREY, GREEN = "#2563a8", "#b3261e", "#566173", "#2e7d4f"
LABEL_WIDTH = 30  # characters of a line


@dataclass(frozen=True)
class Picture:
    """One figure of the report: the name of its file, what it shows, the image as PNG, and its numbers."""

    name: str
    title: str
    caption: str
    png: bytes
    numbers: tuple[tuple[str, str], ...] = ()


def new_figure(height: float = HEIGHT) -> tuple[Figure, Axes]:
    """An empty figure in the look of the report, and its axes."""
    figure = Figure(figsize=(WIDTH, height), layout="tight")
    axes = figure.add_subplot()
    frame(axes)
    return figure, axes


def frame(axes: Axes) -> None:
    """Give axes the look of the report."""
    axes.grid(color="#e3e7ed", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)


def amounts(axis: Any) -> None:
    """Write an axis in thousands and millions."""
    if axis.get_scale() == "log":
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: amount(value)))
    axis.set_minor_formatter(NullFormatter())


def shares(axes: Axes) -> None:
    """Write the y axis in per cent."""
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0%}"))


def wrapped(text: str) -> str:
    """A label in lines."""
    return "\n".join(textwrap.wrap(text, LABEL_WIDTH))


def as_png(figure: Figure) -> bytes:
    """The image of a figure: the same bytes for the same figure."""
    stream = io.BytesIO()
    figure.set_dpi(RESOLUTION)
    # savefig draws twice. The version of the library does not belong into an image that is to be the same every time.
    FigureCanvasAgg(figure).print_png(stream, metadata={"Software": None})  # type: ignore[no-untyped-call]
    return stream.getvalue()
