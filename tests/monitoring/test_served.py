from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from monitoring.captured import Capture, Served
from monitoring.served import ServedSamples, served_samples
from monitoring.truth import Truth
from monitoring.window import Window
from tests.monitoring.conftest import DATA, known_prices, moment, window

DAYS = ("2026-05-31", "2026-06-01", "2026-06-30", "2026-07-01")
PRICES = {"a": 95_000.0, "y": 1.0, "z": 1.0}
VALUES = {"sold": "2026-06-10", "size": 50, "quarter": "a", "x": 0.0}


def row(key: str, when: str = "2026-06-10", model: str = "live", **values: Any) -> Served:
    return Served(key, moment(when), model, {**VALUES, **values}, 100_000.0, 90_000.0, 110_000.0)


def samples(rows: list[Served], prices: dict[str, float], judged: Window | None = None, **more: Any) -> ServedSamples:
    counts = Counter((f"{each.when:%Y-%m}", each.model) for each in rows)
    known = [each for each in rows if each.key in prices]
    matured = Counter((f"{each.when:%Y-%m}", each.model) for each in known)
    found = len({each.key for each in known})
    capture = Capture(served=rows, rows=len(rows), by_month=counts, wanted_by_month=matured, found=found, **more)
    judged = judged or window(versions={"live": 3, "old": 2})
    return served_samples(capture, Truth(known_prices(prices)), judged, DATA, 25)


def test_prices_are_joined_by_the_key_of_the_request() -> None:
    found = samples([row("a"), row("b")], {"b": 95_000.0, "z": 1.0})
    assert found.priced is not None
    assert found.priced.actual.tolist() == [95_000.0]
    since = "not captured from 2026-01-01 to 2026-07-01."
    assert f"1 of 2 prices is of a request that was {since}" in found.notes
    assert f"2 of 3 prices are of requests that were {since}" in samples([row("a")], PRICES).notes
    assert f"1 of 1 price is of a request that was {since}" in samples([row("a")], {"z": 1.0}).notes


def test_cohorts_are_months_and_versions_and_never_mixed() -> None:
    rows = [row(f"m{n}", "2026-05-03") for n in range(30)] + [row("j"), row("o", model="old")]
    found = samples(rows, {f"m{n}": 100_000.0 / 1.1 for n in range(25)})
    kept = [(each.month, each.version, each.rows, each.matured) for each in found.cohorts]
    assert kept == [("2026-05", "3", 30, 25), ("2026-06", "3", 1, 0), ("2026-06", "2", 1, 0)]
    assert abs((found.cohorts[0].level or 0) - 0.1) < 1e-9
    assert found.cohorts[1].level is None
    assert any("a selection" in note for note in found.notes)
    told = (
        "More than one version answered since 2026-01-01 (2, 3): each has cohorts of its own, and version 3 is judged."
    )
    assert told in found.notes


def test_the_newest_month_with_enough_prices_is_judged_alone() -> None:
    days = {"2026-04-03": 40, "2026-05-03": 25, "2026-06-03": 24}
    rows = [row(f"{day}/{number}", day) for day, count in days.items() for number in range(count)]
    rows += [row(f"old/{number}", "2026-06-04", model="old") for number in range(30)]
    prices = {each.key: 100_000.0 * (1 + each.when.month / 100) for each in rows}
    found = samples(rows, prices)
    assert found.priced is not None
    assert set(found.priced.actual) == {105_000.0}
    assert any("those of 2026-05 are judged" in note for note in found.notes)
    assert found.matured is not None
    assert set(found.matured.actual) == {106_000.0}
    few = samples(rows[40:50] + rows[65:80], prices)
    assert few.priced is not None
    assert set(few.priced.actual) == {106_000.0}  # where no month has enough, the one with most says so


def test_inputs_are_those_of_the_window_and_of_the_live_version() -> None:
    rows = [row("a", "2026-05-31"), row("b", "2026-06-01"), row("c", "2026-07-01"), row("d", model="old")]
    assert len(samples(rows, {}).inputs) == 1


def test_values_that_cannot_be_read_are_left_out_and_told() -> None:
    found = samples([row("a"), row("b", size="many")], {})
    assert len(found.inputs) == 1
    told = "1 captured row has a value that cannot be read as the YAML says: not among the inputs."
    assert told in found.notes
    two = samples([row("a", size="many"), row("b", size="many")], {})
    assert told.replace("1 captured row has", "2 captured rows have") in two.notes


@pytest.mark.parametrize(
    ("price", "said"),
    [
        (100.0, "The predictions of 2026-06 are about 1,000 times the prices, further"),
        (690_000.0, "The prices of 2026-06 are about 6.9 times the predictions, further"),
    ],
)
def test_prices_of_another_scale_are_a_finding_and_not_errors(price: float, said: str) -> None:
    rows = [row(f"m{n}") for n in range(30)]
    found = samples(rows, {f"m{n}": price for n in range(30)})
    assert found.priced is None
    assert found.scale is not None
    assert found.scale.outcome(0.01) == "changed"
    assert said in found.scale.sentence
    assert (found.cohorts[0].matured, found.cohorts[0].level) == (30, None)


@pytest.mark.parametrize(("price", "kept"), [(100_000.0 / 2.99, True), (100_000.0 / 3.01, False), (299_000.0, True)])
def test_a_level_that_a_market_could_have_moved_is_an_error(price: float, kept: bool) -> None:
    rows = [row(f"m{n}") for n in range(30)]
    assert (samples(rows, {f"m{n}": price for n in range(30)}).priced is not None) is kept


def test_prices_that_are_there_twice_are_told_and_count_once() -> None:
    def told(**counts: int) -> tuple[str, ...]:
        capture, truth = Capture(served=[row("a")], rows=1, found=1), Truth(known_prices({"a": 1e5}), **counts)
        return served_samples(capture, truth, window(versions={"live": 3}), DATA, 25).notes

    notes = told(repeated=3, contradicted=1, unreadable=1)
    assert "2 prices repeat earlier ones and are not counted a second time." in notes
    assert "1 price differs from an earlier one of the same request: the last one counts." in notes
    assert "1 line of prices cannot be read." in notes
    notes = told(repeated=3, contradicted=2, unreadable=2)
    assert "1 price repeats an earlier one and is not counted a second time." in notes
    assert "2 prices differ from earlier ones of the same request: the last one counts." in notes
    assert "2 lines of prices cannot be read." in notes


def test_an_endpoint_that_was_changed_within_the_window_is_told() -> None:
    notes = [samples([row("a")], {}, window(changed=moment(day), versions={"live": 3})).notes for day in DAYS]
    assert [any("was changed within the window" in each for each in told) for told in notes] == [
        False,
        True,
        True,
        False,
    ]


def test_capture_that_is_off_by_now_is_told_beside_what_was_captured() -> None:
    judged = window(sampling=None, changed=moment("2026-06-20"), versions={"live": 3})
    assert any(
        "captures nothing since it was changed (2026-06-20" in note for note in samples([row("a")], {}, judged).notes
    )


def test_what_was_not_captured_is_said() -> None:
    off = window(sampling=None, changed=moment("2026-05-20"))
    assert any("captures nothing" in note for note in samples([], {}, off).notes)
    gone = samples([], {}, window(sampling=None)).notes  # no endpoint at all, which CollectWindow says
    assert not any("captures nothing" in note for note in gone)
    assert any("No request was captured" in note for note in gone)
    assert any("No request was captured since 2026-01-01" in note for note in samples([], {}).notes)
    sampled = samples([row("a")], {}, window(sampling=20, versions={"live": 3}))
    assert any(note.startswith("20 % of the requests") for note in sampled.notes)


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({"repeated": 1}, "1 captured event repeats an earlier one and is not counted a second time."),
        ({"repeated": 3}, "3 captured events repeat earlier ones and are not counted a second time."),
        ({"encoded": 1}, "1 captured event is in BASE64 and was decoded: the capture of the endpoint names no content"),
        (
            {"encoded": 7},
            "7 captured events are in BASE64 and were decoded: the capture of the endpoint names no conte",
        ),
        ({"unreadable": 1, "example": "a: b"}, "1 captured event cannot be read (the first: a: b)."),
        ({"unreadable": 2, "example": "a: b"}, "2 captured events cannot be read (the first: a: b)."),
    ],
)
def test_what_is_odd_about_captured_events_is_counted_and_told(counts: dict[str, Any], said: str) -> None:
    assert len(samples([row("a")], {}).notes) + 1 == len(notes := samples([row("a")], {}, **counts).notes)
    assert any(note.startswith(said) for note in notes)


@pytest.mark.parametrize(("latest", "told"), [("2026-05-31T23:59", True), ("2026-06-01T00:00", False)])
def test_a_window_without_requests_after_months_with_some_is_told(latest: str, told: bool) -> None:
    notes = samples([row("a", latest)], {}, latest=moment(latest)).notes
    said = "No request of the window was captured: the last one that was is of 2026-05-31 23:59."
    assert (said in notes) is told
