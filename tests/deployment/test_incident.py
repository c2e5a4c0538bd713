"""The page of a deployment that did not go through."""

from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from xml.etree import ElementTree

import pytest

from deployment.alarms import AlarmState
from deployment.fleet_metrics import Series
from deployment.incident import Incident
from deployment.watch import PhaseSeen

BEGAN = 1_700_000_000.0


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(BEGAN + seconds, timezone.utc)


def incident() -> Incident:
    phases = [PhaseSeen(BEGAN, "Creating", 0), PhaseSeen(BEGAN + 60, "Baking", 0.5)]
    series = [
        Series("Invocations", ((at(60), 4.0), (at(120), 8.0))),
        Series("Invocation5XXErrors", ((at(60), 0.0),)),
        Series("ModelLatency", ()),
    ]
    alarms = [AlarmState("new-5xx", "ALARM", "Threshold Crossed")]
    return Incident("houses", "old", "new", "The alarm new-5xx.", phases, alarms, series, ended=BEGAN + 180)


def test_the_page_says_what_serves_why_and_what_was_seen(tmp_path: Path) -> None:
    page = incident().write(tmp_path / "reports")
    text = page.read_text(encoding="utf-8")
    for part in (
        "`old` serves.",
        "The alarm new-5xx.",
        "| new-5xx | ALARM |",
        "| 2023-11-14 22:14:20 | Baking | 50% |",
    ):
        assert part in text
    assert page.with_suffix(".svg").name in text


def test_the_graph_as_text_goes_from_the_lowest_to_the_highest() -> None:
    calls, errors, latency = incident().series
    assert calls.graph().endswith("4 to 8: |▄█|")
    assert errors.graph().endswith("0 to 0: | |")
    assert latency.graph().endswith("nothing was measured")


def test_the_picture_is_xml_with_a_band_for_each_phase_and_a_bar_for_each_value() -> None:
    root = ElementTree.fromstring(incident().picture())
    rectangles = [each for each in root.iter() if each.tag.endswith("rect")]
    assert len(rectangles) == 1 + 2 + 3  # the background, the phases, the values
    widths = [float(each.get("width", "0").rstrip("%")) for each in rectangles[1:3]]
    assert widths[1] == pytest.approx(2 * widths[0], abs=0.2)


def test_an_update_that_failed_before_any_phase_was_seen_has_a_page_too(tmp_path: Path) -> None:
    page = replace(incident(), phases=[], series=[]).write(tmp_path / "reports")
    assert "The alarm new-5xx." in page.read_text(encoding="utf-8")
    picture = ElementTree.fromstring(page.with_suffix(".svg").read_text(encoding="utf-8"))
    assert len([each for each in picture.iter() if each.tag.endswith("rect")]) == 1
