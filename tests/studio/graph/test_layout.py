"""Where boxes stand: below what they come after, never on each other, quickly for large graphs."""

import itertools
import random
import time

from studio.graph.layout import BOX_HEIGHT, BOX_WIDTH, lay_out


def test_every_box_stands_below_those_that_it_comes_after() -> None:
    layout = lay_out(["d", "a", "b", "c"], [("a", "b"), ("b", "c"), ("a", "c"), ("c", "d")])
    y = {box.name: box.y for box in layout.boxes}
    assert y["a"] < y["b"] < y["c"] < y["d"]
    assert max(y.values()) + BOX_HEIGHT <= layout.height


def test_boxes_of_a_layer_do_not_touch_and_stand_on_the_paper() -> None:
    layout = lay_out(["a", *"bcdefgh"], [("a", name) for name in "bcdefgh"])
    row = sorted(box.x for box in layout.boxes if box.name != "a")
    assert all(right - left > BOX_WIDTH for left, right in itertools.pairwise(row))
    assert row[0] > 0
    assert row[-1] + BOX_WIDTH < layout.width


def test_two_chains_do_not_cross() -> None:
    layout = lay_out(["a", "b", "c", "d"], [("a", "d"), ("b", "c")])
    x = {box.name: box.x for box in layout.boxes}
    assert (x["a"] < x["b"]) == (x["d"] < x["c"])


def test_an_arrow_over_a_layer_passes_beside_its_boxes() -> None:
    layout = lay_out(["a", "b", "c"], [("a", "b"), ("b", "c"), ("a", "c")])
    (b,) = [box for box in layout.boxes if box.name == "b"]
    (long,) = [line for line in layout.lines if (line.source, line.target) == ("a", "c")]
    inner = [x for x, y in long.points if b.y <= y <= b.y + BOX_HEIGHT]
    assert inner
    assert all(not b.x <= x <= b.x + BOX_WIDTH for x in inner)


def test_a_circle_and_an_unknown_end_are_drawn_without_a_fault() -> None:
    layout = lay_out(["a", "b"], [("a", "b"), ("b", "a"), ("a", "gone")])
    assert {box.name for box in layout.boxes} == {"a", "b"}
    assert len(layout.lines) == 2


def test_nothing_takes_no_room() -> None:
    assert lay_out([], []).boxes == ()


def test_two_hundred_steps_take_less_than_a_second() -> None:
    chance, names = random.Random(1), [f"s{number}" for number in range(200)]
    edges = [(names[chance.randrange(max(0, n - 20), n)], names[n]) for n in range(1, 200) for _ in range(2)]
    start = time.perf_counter()
    assert len(lay_out(names, edges).boxes) == 200
    assert time.perf_counter() - start < 1
