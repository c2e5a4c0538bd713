"""What the templates draw: boxes with a status, arrows as curves, bars of a Gantt chart."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from studio.graph.layout import BOX_HEIGHT, BOX_WIDTH, lay_out

MOST_LETTERS = 22  # of a name in a box; the whole name is in its title, and beneath the picture


@dataclass(frozen=True)
class Node:
    """What is to be drawn: a name, a line below it, how it stands, and where a click leads."""

    name: str
    text: str
    note: str = ""
    status: str = ""
    link: str | None = None


@dataclass(frozen=True)
class DrawnNode:
    """A node with its corner in pixels."""

    node: Node
    x: float
    y: float
    short: str


@dataclass(frozen=True)
class DrawnEdge:
    """An arrow as the data of an SVG path, with a label and its place."""

    path: str
    label: str
    x: float
    y: float


@dataclass(frozen=True)
class Picture:
    """A graph as the template draws it, in pixels."""

    width: float
    height: float
    nodes: tuple[DrawnNode, ...]
    edges: tuple[DrawnEdge, ...]
    box_width: int = BOX_WIDTH
    box_height: int = BOX_HEIGHT

    @property
    def cut(self) -> list[Node]:
        """What has a longer name than its box has room for: it is to be read beside the picture."""
        return [drawn.node for drawn in self.nodes if drawn.short != drawn.node.text]


@dataclass(frozen=True)
class Bar:
    """One step in the Gantt chart; start and width in percent of the whole."""

    name: str
    status: str
    start: float
    width: float
    seconds: float


def draw(nodes: Sequence[Node], edges: Mapping[tuple[str, str], str]) -> Picture:
    """Lay a graph out; `edges` gives the label of each arrow."""
    layout = lay_out([node.name for node in nodes], edges)
    by_name = {node.name: node for node in nodes}
    drawn = tuple(DrawnNode(by_name[box.name], box.x, box.y, shortened(by_name[box.name].text)) for box in layout.boxes)
    lines = []
    for line in layout.lines:
        (x, y), (next_x, next_y) = line.points[0], line.points[1]
        label = edges[line.source, line.target]
        lines.append(DrawnEdge(_curve(line.points), label, (x * 2 + next_x) / 3, (y * 2 + next_y) / 3))
    return Picture(layout.width, layout.height, drawn, tuple(lines))


def bars(steps: Iterable[tuple[str, str, datetime | None, datetime | None]], now: datetime) -> list[Bar]:
    """The chart of steps given as name, status, start and end; those that have not started are left out."""
    begun = [(name, status, start, end or now) for name, status, start, end in steps if start is not None]
    if not begun:
        return []
    first = min(start for _, _, start, _ in begun)
    span = max((max(end for *_, end in begun) - first).total_seconds(), 1e-3)
    return [
        Bar(
            name,
            status,
            100 * (start - first).total_seconds() / span,
            max(0.4, 100 * (end - start).total_seconds() / span),
            (end - start).total_seconds(),
        )
        for name, status, start, end in begun
    ]


def shortened(text: str) -> str:
    """A text that fits a box: its beginning and its end, which is what differs between long names."""
    if len(text) <= MOST_LETTERS:
        return text
    half = (MOST_LETTERS - 1) // 2
    return f"{text[:half]}…{text[-half:]}"


def _curve(points: Sequence[tuple[float, float]]) -> str:
    parts = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for (x, y), (next_x, next_y) in pairwise(points):
        bend = (next_y - y) / 2
        parts.append(f"C{x:.1f} {y + bend:.1f} {next_x:.1f} {next_y - bend:.1f} {next_x:.1f} {next_y:.1f}")
    return " ".join(parts)
