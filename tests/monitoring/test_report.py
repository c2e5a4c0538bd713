"""The page of a window: whole, self-contained, and readable on a phone, in a real browser."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from monitoring.observe import Inputs, observe
from monitoring.sample import Sample
from tests.browser import browser as browser
from tests.browser import resize
from tests.monitoring.conftest import SETTINGS, event, houses, write_window

pytestmark = pytest.mark.e2e

NOTHING_KNOWN = {"until": "2026-06-01", "segments": {}}
HEADINGS = ("Checks", "New sales", "Served predictions by cohort", "Estimated error", "Inputs", "Segments")


@pytest.fixture(scope="module")
def page(
    version: Path, reference: Sample, model_identity: str, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, Any]]:
    """The report of a month of dearer and larger houses, with two versions that served and prices that are known."""
    folder = tmp_path_factory.mktemp("observed")
    history = [{"until": f"2026-0{month}-01", "segments": {"quarter a": -0.031}} for month in range(1, 6)]
    window = write_window(
        folder / "window", versions={model_identity: 3, "other": 2}, sampling=50, history=[*history, NOTHING_KNOWN]
    )
    lines, prices = [], []
    for number in range(260):
        row, model = reference.rows.iloc[number], (model_identity, "other")[number % 2]
        score = float(reference.predicted[number]) * (1.2 if model == "other" else 1)
        values = {"sold": "2026-06-10", "size": row["size"] / 10, "quarter": row["quarter"], "x": row["x"]}
        answer = {"predictions": [{"score": score, "lower": score * 0.8, "upper": score * 1.2}], "model": model}
        when = f"2026-06-{1 + number // 2 % 28:02d}T08:00:00Z"
        lines.append(event(json.dumps(values), json.dumps(answer), when, str(number), f"h{number}"))
        truth = {"data": str(float(reference.actual[number]) * 1.1)}
        prices.append(json.dumps({"groundTruthData": truth, "eventMetadata": {"eventId": f"h{number}"}}) + "\n")
    for name, content in (("capture/AllTraffic", lines), ("truth", prices)):
        (window / name).mkdir(parents=True)
        (window / name / "a.jsonl").write_text("".join(content))
    (folder / "sales").mkdir()
    sales = houses(300, seed=3, since="2026-06-01", days=30)
    sales.assign(price=sales["price"] * 1.1).to_parquet(folder / "sales" / "sales.parquet", index=False)
    observe(Inputs(version / "model", version / "reference", folder / "sales", window), folder / "out", SETTINGS)
    return folder / "out" / "monitoring.html", json.loads((folder / "out" / "monitoring.json").read_text())


def test_the_page_is_whole_on_a_desk_and_on_a_phone(page: tuple[Path, dict[str, Any]], browser: Any) -> None:
    path, document = page
    for width, height in ((1400, 900), (390, 844)):
        resize(browser, width, height)
        browser.get(f"file://{path}")
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width
        verdict = browser.find_element("css selector", ".verdict")
        assert document["reasons"][0] in verdict.text
        box = verdict.rect
        assert box["y"] < height / 2  # the answer is read before anything is scrolled
        assert box["width"] > 0.85 * width or width > 600
        headings = browser.execute_script("return [...document.querySelectorAll('h2')].map(each => each.innerText)")
        assert tuple(headings) == HEADINGS
        sizes = browser.execute_script(
            "const texts = [...document.querySelectorAll('td, p, li')];"
            "return texts.map(each => parseFloat(getComputedStyle(each).fontSize))"
        )
        assert min(sizes) >= 12
        (natural, drawn) = browser.execute_script(
            "const image = document.querySelector('figure img');"
            "return [image.naturalWidth, image.getBoundingClientRect().width]"
        )
        assert natural > 500
        assert drawn > 300
    assert browser.get_log("browser") == []
    asked = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    urls = {each["params"]["request"]["url"] for each in asked if each["method"] == "Network.requestWillBeSent"}
    assert not {url.partition(":")[0] for url in urls} & {"http", "https", "ws", "wss"}


def test_the_page_tells_of_what_the_model_leans_on_and_of_versions_side_by_side(
    page: tuple[Path, dict[str, Any]],
) -> None:
    path, document = page
    text = path.read_text()
    assert document["attribution_drift"]["features"][0]["name"] in text
    assert f"NDCG of {document['attribution_drift']['ndcg']:.3f}" in text
    (found,) = document["side_by_side"]
    assert (found["first"], found["second"], found["rows"]) == ("Version 3", "Version 2", [130, 130])
    assert found["sentence"] in text


def test_the_segments_are_shown_over_the_windows_before(page: tuple[Path, dict[str, Any]]) -> None:
    segments = page[0].read_text().partition("<h2>Segments</h2>")[2]
    assert segments.count("level, window to 2026-0") == 6
    (row,) = [each for each in segments.split("<tr>") if each.startswith("<td>quarter a</td>")]
    assert row.count("<td>-3.1 %</td>") == 5
    assert row.count("<td>-</td>") == 1
