"""Where the boxes of a graph stand: layers from top to bottom, few crossings, in the manner of Sugiyama.

Longest paths give the layers; within a layer boxes are ordered by the middle of their neighbours, back and forth; long
arrows pass through places kept for them. A graph of 200 steps takes a few milliseconds.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

SWEEPS = 8
BOX_WIDTH, BOX_HEIGHT, PLACE_WIDTH = 190, 56, 24
GAP_X, GAP_Y, MARGIN = 28, 46, 12


@dataclass(frozen=True)
class Box:
    """The upper left corner of a node's box, in pixels."""

    name: str
    x: float
    y: float


@dataclass(frozen=True)
class Line:
    """The points that an arrow passes from its source to its target."""

    source: str
    target: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Layout:
    """A graph on paper of this size, in pixels."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]


def lay_out(nodes: Sequence[str], edges: Iterable[tuple[str, str]]) -> Layout:
    """Place every node; arrows that would close a circle are left out of the order and still drawn."""
    known = set(nodes)
    arrows = [(source, target) for source, target in dict.fromkeys(edges) if source in known and target in known]
    layer = _layers(nodes, arrows)
    paths = {arrow: _path(arrow, layer) for arrow in arrows}
    rows = _rows(nodes, layer, paths.values())
    _order(rows, [pair for path in paths.values() for pair in pairwise(path)])
    middle, width = _positions(rows)
    top = {name: MARGIN + index * (BOX_HEIGHT + GAP_Y) for index, row in enumerate(rows) for name in row}
    lines = tuple(Line(*arrow, _points(path, middle, top)) for arrow, path in paths.items())
    boxes = tuple(Box(name, middle[name] - BOX_WIDTH / 2, top[name]) for name in nodes)
    return Layout(width, 2 * MARGIN + len(rows) * (BOX_HEIGHT + GAP_Y) - GAP_Y if rows else 0, boxes, lines)


def _layers(nodes: Sequence[str], arrows: Sequence[tuple[str, str]]) -> dict[str, int]:
    before: dict[str, list[str]] = {name: [] for name in nodes}
    for source, target in arrows:
        before[target].append(source)
    try:
        order = list(TopologicalSorter(before).static_order())
    except CycleError:
        order = list(nodes)
    layer: dict[str, int] = {}
    for name in order:
        layer[name] = 1 + max((layer[source] for source in before[name] if source in layer), default=-1)
    return layer


def _path(arrow: tuple[str, str], layer: dict[str, int]) -> list[str]:
    """The nodes of an arrow with a place in each layer that it crosses; a place's name cannot be a node's."""
    source, target = arrow
    places = [f"\0{source}\0{target}\0{row}" for row in range(layer[source] + 1, layer[target])]
    return [source, *places, target]


def _rows(nodes: Sequence[str], layer: dict[str, int], paths: Iterable[Sequence[str]]) -> list[list[str]]:
    rows: dict[int, list[str]] = defaultdict(list)
    for name in nodes:
        rows[layer[name]].append(name)
    for path in paths:
        for number, place in enumerate(path[1:-1], start=layer[path[0]] + 1):
            rows[number].append(place)
    return [rows[number] for number in sorted(rows)]


def _order(rows: list[list[str]], pairs: Sequence[tuple[str, str]]) -> None:
    above, below = defaultdict(list), defaultdict(list)
    for source, target in pairs:
        above[target].append(source)
        below[source].append(target)
    for sweep in range(SWEEPS):
        neighbours, sequence = (above, rows) if sweep % 2 == 0 else (below, rows[::-1])
        place = {name: index for row in rows for index, name in enumerate(row)}
        for row in sequence:
            weight = {name: _mean([place[other] for other in neighbours[name]], place[name]) for name in row}
            row.sort(key=weight.__getitem__)
            place.update({name: index for index, name in enumerate(row)})


def _mean(values: Sequence[int], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _positions(rows: Sequence[Sequence[str]]) -> tuple[dict[str, float], float]:
    """The middle of each node and place, every row centred, and the width of the paper."""
    sizes = [[PLACE_WIDTH if name.startswith("\0") else BOX_WIDTH for name in row] for row in rows]
    widths = [sum(row) + GAP_X * (len(row) - 1) for row in sizes]
    width = max(widths, default=0) + 2 * MARGIN
    middle = {}
    for row, row_sizes, row_width in zip(rows, sizes, widths, strict=True):
        x = (width - row_width) / 2
        for name, size in zip(row, row_sizes, strict=True):
            middle[name] = x + size / 2
            x += size + GAP_X
    return middle, width


def _points(
    path: Sequence[str], middle: Mapping[str, float], top: Mapping[str, float]
) -> tuple[tuple[float, float], ...]:
    points = [(middle[path[0]], top[path[0]] + BOX_HEIGHT)]
    for place in path[1:-1]:
        points += [(middle[place], top[place]), (middle[place], top[place] + BOX_HEIGHT)]
    return (*points, (middle[path[-1]], top[path[-1]]))
