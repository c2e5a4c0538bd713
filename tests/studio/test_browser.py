"""The studio in a real browser: every page in two widths, the actions by keyboard, what is live, what is locked in."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.browser import browser as browser
from tests.browser import resize
from tests.conftest import BUCKET
from tests.studio.conftest import Served
from tests.studio.test_pages import pages
from tests.studio.world import ENDPOINT, GROUP, PIPELINE, World

pytestmark = pytest.mark.e2e
AXE = (Path(__file__).parent / "vendor/axe.min.js").read_text()
RULES = "return axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})"
WIDTHS = ((1400, 900), (390, 844))


def wide(browser: Any, width: int, height: int, dark: bool = False) -> None:
    resize(browser, width, height)
    scheme = {"features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", scheme)


def violations(browser: Any) -> list[str]:
    """What axe finds, each with the element that it is about. The report within a page is not the studio's."""
    browser.execute_script(AXE + "; window.axe = axe")
    found = browser.execute_script(RULES.replace("document,", "{exclude: ['iframe']},"))["violations"]
    return [f"{each['id']}: {node['html'][:120]}" for each in found for node in each["nodes"]]


def complaints(browser: Any) -> list[str]:
    """The console, but for what the report of a job is forbidden to do."""
    entries = [entry["message"] for entry in browser.get_log("browser")]
    return [text for text in entries if "/raw?uri=" not in text]


def until(condition: Callable[[], Any], seconds: float = 20) -> Any:
    """The first true value of a condition."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("it did not come true")


def text(browser: Any, selector: str = "main") -> str:
    return str(
        browser.execute_script(f"return (document.querySelector({json.dumps(selector)}) || {{}}).innerText || ''")
    )


def test_every_page_in_both_widths(browser: Any, studio: Served, world: World) -> None:
    faults = []
    for path in pages(world):
        browser.get(studio.url + path)
        for width, height in WIDTHS:
            wide(browser, width, height)
            if browser.execute_script("return document.documentElement.scrollWidth") > width:
                faults.append(f"{width} {path}: wider than the window")
            faults += [f"{width} {path}: {fault}" for fault in violations(browser) + complaints(browser)]
    assert faults == []
    asked = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    urls = {event["params"]["request"]["url"] for event in asked if event["method"] == "Network.requestWillBeSent"}
    sent = {url for url in urls if url.startswith(("http:", "https:", "ws:", "wss:"))}
    assert {url for url in sent if not url.startswith(studio.url)} == set()
    assert f"{studio.url}/static/htmx.min.js" in urls


def test_the_dark_pages_have_contrast(browser: Any, studio: Served, world: World) -> None:
    wide(browser, 1400, 900, dark=True)
    for path in (
        "/",
        f"/pipelines/{PIPELINE}/executions/{world.bad}?step=Measure",
        f"/registry/{GROUP}/1",
        f"/endpoints/{ENDPOINT}",
    ):
        browser.get(studio.url + path)
        assert violations(browser) == [], path


def test_a_report_neither_runs_nor_reaches_the_page_around_it(browser: Any, studio: Served) -> None:
    wide(browser, 1400, 900)
    browser.get(f"{studio.url}/registry/{GROUP}/1")
    title = browser.title
    frame = browser.find_element(By.TAG_NAME, "iframe")
    assert frame.get_attribute("sandbox") == ""
    browser.execute_script("arguments[0].scrollIntoView()", frame)
    assert browser.execute_script("return arguments[0].contentDocument", frame) is None  # another origin
    browser.switch_to.frame(frame)
    until(lambda: "The report" in browser.page_source)
    assert browser.title == title
    assert "<title>Report</title>" in browser.page_source
    browser.switch_to.default_content()
    assert browser.title == title != "taken"
    uri = frame.get_attribute("src")
    browser.get(uri)  # alone, it is as locked in
    assert browser.title == "Report"
    assert browser.execute_script("return self.origin") == "null"
    browser.get_log("browser")


def press(browser: Any, *keys: str) -> None:
    browser.switch_to.active_element.send_keys(*keys)


def tab_to(browser: Any, selector: str) -> None:
    """Go to an element by the tab key alone."""
    for _ in range(200):
        if browser.execute_script(f"return document.activeElement.matches({json.dumps(selector)})"):
            return
        press(browser, Keys.TAB)
    raise AssertionError(f"the tab key does not reach {selector}")


def test_approve_by_keyboard(browser: Any, studio: Served, sagemaker: Any) -> None:
    wide(browser, 1400, 900)
    browser.get(f"{studio.url}/registry/{GROUP}/1")
    tab_to(browser, "input[name=comment]")
    press(browser, "by keyboard")
    tab_to(browser, "button[value=Approved]")
    press(browser, Keys.ENTER)
    until(lambda: "Approved" in text(browser, ".headline") and "by keyboard" in text(browser, ".headline"))
    arn = f"arn:aws:sagemaker:us-east-1:000000000000:model-package/{GROUP}/1"
    package = sagemaker.describe_model_package(ModelPackageName=arn)
    assert (package["ModelApprovalStatus"], package["ApprovalDescription"]) == ("Approved", "by keyboard")
    assert complaints(browser) == []


def test_predict_by_keyboard_without_leaving_the_page(browser: Any, studio: Served) -> None:
    wide(browser, 390, 844)
    browser.get(f"{studio.url}/endpoints/{ENDPOINT}")
    browser.execute_script("window.same = true")
    tab_to(browser, "input[name='field.rooms']")
    press(browser, Keys.CONTROL, "a")
    press(browser, Keys.BACKSPACE, "7", Keys.ENTER)
    until(lambda: "700" in text(browser, "#answer"))
    assert "between 690 and 710 with 90 % coverage" in text(browser, "#answer")
    assert browser.execute_script("return window.same")
    assert violations(browser) == []
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 390
    assert complaints(browser) == []


def test_an_endpoint_is_rolled_back_by_keyboard(browser: Any, studio: Served, sagemaker: Any) -> None:
    wide(browser, 390, 844)
    browser.get(f"{studio.url}/endpoints/{ENDPOINT}")
    button = "form[action$='/configuration'] button"
    tab_to(browser, button)
    config = browser.execute_script("return document.activeElement.form.elements.config.value")
    assert sagemaker.describe_endpoint(EndpointName=ENDPOINT)["EndpointConfigName"] != config
    press(browser, Keys.ENTER)
    until(lambda: f"serves configuration {config}" in text(browser, "#live"), 60)
    until(lambda: "InService" in text(browser, "#live"), 60)
    assert sagemaker.describe_endpoint(EndpointName=ENDPOINT)["EndpointConfigName"] == config
    browser.get(f"{studio.url}/endpoints/{ENDPOINT}")
    left = browser.find_elements(By.CSS_SELECTOR, "form[action$='/configuration'] input[name=config]")
    assert config not in {each.get_attribute("value") for each in left}
    assert violations(browser) + complaints(browser) == []


def test_an_execution_is_live_and_its_report_comes_by_itself(browser: Any, studio: Served, sagemaker: Any) -> None:
    wide(browser, 1400, 900)
    browser.get(f"{studio.url}/pipelines/{PIPELINE}#start")
    seed = browser.find_element(By.NAME, "parameter.Seed")
    seed.clear()
    seed.send_keys(str(time.time()), Keys.ENTER)
    identity = until(lambda: browser.current_url.partition("/executions/")[2])
    arn = f"arn:aws:sagemaker:us-east-1:000000000000:pipeline/{PIPELINE}/execution/{identity}"
    status = "PipelineExecutionStatus"
    until(lambda: sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)[status] == "Succeeded", 60)
    over = time.monotonic()
    until(lambda: "Succeeded after" in text(browser, "#live"))
    assert time.monotonic() - over < 5  # a poll of half a second, on a machine that is busy with the tests
    until(lambda: browser.find_elements(By.TAG_NAME, "iframe"))
    until(lambda: "It registered" in text(browser))
    assert complaints(browser) == []


def test_a_failed_execution_is_stopped_or_retried_from_its_page(browser: Any, studio: Served, world: World) -> None:
    wide(browser, 390, 844)
    browser.get(f"{studio.url}/pipelines/{PIPELINE}/executions/{world.bad}")
    tab_to(browser, "form[action$='/retry'] button")
    press(browser, Keys.ENTER)
    until(lambda: "Failed after" in text(browser, "#live") and "good enough" in text(browser, ".failure"), 60)
    assert complaints(browser) == []


def test_a_list_is_filtered_while_typing(browser: Any, studio: Served) -> None:
    browser.get(f"{studio.url}/jobs/processing")
    assert browser.find_elements(By.CSS_SELECTOR, "#list tbody tr")
    browser.find_element(By.NAME, "contains").send_keys("no-such-job")
    until(lambda: "There is no such job" in text(browser, "#list"))


def test_two_executions_are_chosen_and_compared(browser: Any, studio: Served) -> None:
    browser.get(f"{studio.url}/pipelines/{PIPELINE}")
    browser.find_element(By.XPATH, "//button[text()='Compare A with B']").click()
    until(lambda: "Two executions" in text(browser))
    assert "Durations" in text(browser)


def test_objects_are_walked_from_the_bucket_to_a_table(browser: Any, studio: Served) -> None:
    browser.get(f"{studio.url}/objects")
    for name in (BUCKET, "studio/", "table.csv"):
        until(lambda name=name: browser.find_elements(By.LINK_TEXT, name))[0].click()  # type: ignore[misc]
    until(lambda: "The first 2 rows." in text(browser))
