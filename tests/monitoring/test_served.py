from __future__ import annotations

from collections import Counter
from typing import Any

from monitoring.captured import Capture, Served
from monitoring.served import ServedSamples, served_samples
from monitoring.truth import Truth
from monitoring.window import Window
from tests.monitoring.conftest import DATA, moment, window

VALUES = {"sold": "2026-06-10", "size": 50, "quarter": "a", "x": 0.0}


def row(key: str, when: str = "2026-06-10", model: str = "live", **values: Any) -> Served:
    return Served(key, moment(when), model, {**VALUES, **values}, 100_000.0, 90_000.0, 110_000.0)


def samples(rows: list[Served], prices: dict[str, float], judged: Window | None = None, **more: Any) -> ServedSamples:
    counts = Counter((f"{each.when:%Y-%m}", each.model) for each in rows)
    capture = Capture(served=rows, rows=len(rows), by_month=counts, **more)
    judged = judged or window(versions={"live": 3, "old": 2})
    return served_samples(capture, Truth(prices), judged, DATA)


def test_prices_are_joined_by_the_key_of_the_request() -> None:
    found = samples([row("a"), row("b")], {"b": 95_000.0, "z": 1.0})
    assert found.priced is not None
    assert found.priced.actual.tolist() == [95_000.0]
    assert "1 of 2 prices are of requests that were not captured." in found.notes


def test_cohorts_are_months_and_versions_and_never_mixed() -> None:
    rows = [row(f"m{n}", "2026-05-03") for n in range(30)] + [row("j"), row("o", model="old")]
    found = samples(rows, {f"m{n}": 100_000.0 / 1.1 for n in range(25)})
    kept = [(each.month, each.version, each.rows, each.matured) for each in found.cohorts]
    assert kept == [("2026-05", "3", 30, 25), ("2026-06", "3", 1, 0), ("2026-06", "2", 1, 0)]
    assert abs((found.cohorts[0].level or 0) - 0.1) < 1e-9
    assert found.cohorts[1].level is None
    assert any("a selection" in note for note in found.notes)
    assert any("More than one version answered (3, 2)" in note for note in found.notes)


def test_inputs_are_those_of_the_window_and_of_the_live_version() -> None:
    rows = [row("a", "2026-05-31"), row("b", "2026-06-01"), row("c", "2026-07-01"), row("d", model="old")]
    assert len(samples(rows, {}).inputs) == 1


def test_values_that_cannot_be_read_are_left_out_and_told() -> None:
    found = samples([row("a"), row("b", size="many")], {})
    assert len(found.inputs) == 1
    assert any(note.startswith("1 captured rows have values") for note in found.notes)


def test_prices_in_thousands_are_not_taken_for_errors() -> None:
    rows = [row(f"m{n}") for n in range(30)]
    found = samples(rows, {f"m{n}": 100.0 for n in range(30)})
    assert found.priced is None
    assert any("another scale or currency" in note and "1000 times" in note for note in found.notes)
    assert found.cohorts[0].level is None


def test_what_was_not_captured_is_said() -> None:
    assert any("captures nothing" in note for note in samples([], {}, window(sampling=None)).notes)
    assert any("No request was captured since 2026-01-01" in note for note in samples([], {}).notes)
    sampled = samples([row("a")], {}, window(sampling=20, versions={"live": 3}))
    assert any(note.startswith("20 % of the requests") for note in sampled.notes)
    assert any(
        "3 captured events are there more than once" in note for note in samples([row("a")], {}, repeated=3).notes
    )
