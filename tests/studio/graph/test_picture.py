"""What is drawn of a graph, and the bars of its times."""

from datetime import datetime, timedelta, timezone

from studio.graph.picture import Node, bars, draw, shortened

START = datetime(2026, 1, 1, tzinfo=timezone.utc)


def test_a_long_name_keeps_both_of_its_ends() -> None:
    assert shortened("a" * 22) == "a" * 22
    assert shortened("abcdefghij" + "x" * 20 + "klmnopqrst") == "abcdefghij…klmnopqrst"


def test_each_node_and_arrow_is_drawn_with_its_label() -> None:
    picture = draw([Node("a", "A"), Node("b", "B")], {("a", "b"): "yes"})
    assert [drawn.node.name for drawn in picture.nodes] == ["a", "b"]
    (edge,) = picture.edges
    assert edge.label == "yes"
    assert edge.path.startswith("M")


def test_what_is_cut_in_its_box_is_known_whole() -> None:
    assert draw([Node("a", "A" * 22), Node("b", "B" * 23)], {}).cut == [Node("b", "B" * 23)]


def test_bars_are_shares_of_the_whole_time_and_what_runs_reaches_to_now() -> None:
    steps = [
        ("first", "Succeeded", START, START + timedelta(seconds=30)),
        ("runs", "Executing", START + timedelta(seconds=30), None),
        ("later", "waiting", None, None),
    ]
    first, runs = bars(steps, START + timedelta(seconds=120))
    assert (first.start, first.width, first.seconds) == (0, 25, 30)
    assert (runs.start, runs.width, runs.seconds) == (25, 75, 90)


def test_a_moment_has_a_bar_that_can_be_seen() -> None:
    (bar,) = bars([("x", "Failed", START, START)], START)
    assert 0 < bar.width < 1
