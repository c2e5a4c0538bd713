"""The page that an approver reads: whole, self-contained, and readable on a phone, in a real browser."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from evaluation.evaluate import Inputs, evaluate
from steps.evaluation_settings import MapSettings
from steps.model import Model
from steps.settings import Column
from tests.browser import browser as browser
from tests.browser import resize
from tests.evaluation.conftest import DATA, LIMITS, SETTINGS

FIGURES = {
    "predicted_against_actual",
    "residuals_by_prediction",
    "residuals_over_time",
    "errors_on_a_map",
    "errors_by_segment",
    "calibration",
    "champion_and_challenger",
    "importance",
    "dependence",
}

pytestmark = pytest.mark.e2e


@pytest.fixture(autouse=True)
def one_figure() -> None:
    """No: all of them."""


@pytest.fixture
def page(model: Model, inputs: Inputs, archive_folder: Path, tmp_path: Path) -> Path:
    """The report of rows with a day and a place, with a champion; its folder."""
    number, day = Column(type="number", feature=False), Column(type="date")
    columns = {**DATA.columns, "lat": number, "long": number, "day": day}
    settings = replace(
        SETTINGS,
        data=replace(DATA, columns=columns, date="day"),
        evaluation=replace(SETTINGS.evaluation, map=MapSettings(latitude="lat", longitude="long", group="kind")),
    )
    random = np.random.default_rng(0)
    for path in (inputs.test / "test.parquet", inputs.rows / "rows.parquet"):
        rows = pd.read_parquet(path)
        days = pd.Timestamp("2024-01-01") + pd.to_timedelta(random.integers(0, 300, len(rows)), unit="D")
        rows.assign(
            lat=random.uniform(47, 48, len(rows)), long=random.uniform(-122, -121, len(rows)), day=days
        ).to_parquet(path)
    champion = replace(inputs, champion=archive_folder)
    evaluate(lambda: model, champion, tmp_path / "out", settings, LIMITS)
    return tmp_path / "out"


def test_page_in_a_browser(page: Path, browser: Any) -> None:
    for width, height in ((1280, 900), (390, 844)):
        resize(browser, width, height)
        browser.get(f"file://{page}/evaluation.html")
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width
        shown = browser.execute_script(
            "return [...document.querySelectorAll('figure')].map(figure => [figure.id, "
            "figure.querySelector('img').naturalWidth, figure.querySelector('img').getBoundingClientRect().width])"
        )
        assert {name for name, _, _ in shown} == FIGURES
        assert all(natural > 500 and drawn > 300 for _, natural, drawn in shown)
    assert browser.get_log("browser") == []
    asked = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    urls = {event["params"]["request"]["url"] for event in asked if event["method"] == "Network.requestWillBeSent"}
    assert not {url.partition(":")[0] for url in urls} & {"http", "https", "ws", "wss"}
    assert f"file://{page}/evaluation.html" in urls


def test_page_holds_the_numbers_and_names_what_was_missed(page: Path) -> None:
    document = json.loads((page / "evaluation.json").read_text())
    text = (page / "evaluation.html").read_text()
    assert f"{document['regression_metrics']['r2']['value']:.4f}" in text
    assert "RMSE (EUR)" in text
    assert "Not good enough:" in text
    assert "the RMSE is 0.00% lower than the champion" in text  # the champion is the model itself
    assert "<script" not in text
    assert set(re.findall(r"https?://", text)) == set()


def test_every_figure_lies_beside_the_page_too(page: Path) -> None:
    images = {path.stem: path.read_bytes() for path in (page / "figures").glob("*.png")}
    assert set(images) == FIGURES
    assert all(image.startswith(b"\x89PNG") for image in images.values())


def test_figures_that_the_data_does_not_allow_are_left_out(model: Model, inputs: Inputs, tmp_path: Path) -> None:
    bare = replace(SETTINGS, evaluation=replace(SETTINGS.evaluation, segments={}))
    evaluate(lambda: model, inputs, tmp_path / "out", bare, LIMITS)
    names = {path.stem for path in (tmp_path / "out" / "figures").iterdir()}
    assert names == FIGURES - {"residuals_over_time", "errors_on_a_map", "errors_by_segment"}
    text = (tmp_path / "out" / "evaluation.html").read_text()
    assert "declares no segments" in text
    assert "none approved yet" in text
