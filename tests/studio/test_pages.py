"""Every page over local SageMaker, read without JavaScript: what it says, what its forms do, what it refuses."""

import re
import subprocess
import sys
from html import unescape
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import HTTPRedirectHandler, Request, build_opener

import pytest

from studio.pages import events
from tests.conftest import BUCKET, LocalServer
from tests.studio.conftest import Served
from tests.studio.world import ENDPOINT, GROUP, PIPELINE, WATCHING, World

pytestmark = pytest.mark.e2e


class Stay(HTTPRedirectHandler):
    """Redirects are answers, too."""

    def redirect_request(self, *arguments: Any) -> None:
        return None


def ask(url: str, form: dict[str, str] | None = None, **headers: str) -> tuple[int, str, Any]:
    """Status, text and headers of an answer."""
    data = urlencode(form).encode() if form is not None else None
    request = Request(url, data, {name.replace("_", "-"): value for name, value in headers.items()})
    try:
        answer = build_opener(Stay).open(request, timeout=60)
    except HTTPError as error:
        answer = error
    with answer:
        return answer.status, answer.read().decode(), answer.headers


def text_of(page: str) -> str:
    """What a page says, without its markup."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def pages(world: World) -> list[str]:
    """The address of every kind of page."""
    execution = f"/pipelines/{PIPELINE}/executions/{world.bad}"
    return [
        "/",
        "/pipelines",
        f"/pipelines/{PIPELINE}",
        execution,
        f"{execution}?step=Measure",
        f"/pipelines/{PIPELINE}/compare?left={world.good}&right={world.bad}",
        "/registry",
        f"/registry/{GROUP}",
        f"/registry/{GROUP}?metrics=1",
        f"/registry/{GROUP}/1",
        "/endpoints",
        f"/endpoints/{ENDPOINT}",
        "/monitoring",
        "/jobs",
        "/jobs/training",
        "/jobs/transform",
        "/jobs/tuning",
        "/objects",
        f"/objects?uri=s3://{BUCKET}/studio/",
        f"/objects?uri=s3://{BUCKET}/studio/table.csv",
        "/lessons",
        "/lessons/03-line-surface-hyperplane",
        "/lessons/b2-leak",
        "/logs",
        "/logs?group=/aws/sagemaker/ProcessingJobs",
        "/events",
    ]


def test_every_page_answers_and_shows_the_calls_behind_it(studio: Served, world: World) -> None:
    for path in pages(world):
        status, page, headers = ask(studio.url + path)
        assert status == 200, path
        if path.startswith("/lessons"):
            assert "this page asks nothing of the account" in page, path
        else:
            assert "boto3.client(" in page, path
            assert "aws " in page, path
        assert "script-src 'self'" in headers["content-security-policy"], path
        assert not re.search(r"<script(?! src=\"/static/)|style=|javascript:|\bon[a-z]+=\"", page), path


def test_an_execution_that_failed_says_why_first_and_what_its_condition_compared(studio: Served, world: World) -> None:
    _, page, _ = ask(f"{studio.url}/pipelines/{PIPELINE}/executions/{world.bad}")
    text = text_of(page)
    assert "Reject failed: The model is <not> good enough." in text
    assert text.index("Reject failed") < text.index("Measure")
    assert "regression_metrics.r2.value ≥ Least 0.9 0.99 ✗ does not hold" in text
    assert "○ not run" in text  # Register
    assert "report.html" in page


def test_a_gate_that_holds_narrowly_is_marked(studio: Served, world: World) -> None:
    _, page, _ = ask(f"{studio.url}/pipelines/{PIPELINE}/executions/{world.good}")
    assert "0.9 0.895 ✓ holds, narrowly" in text_of(page)
    assert f"/registry/{GROUP}/1" in page


def test_a_step_says_why_it_was_not_cached_and_ends_its_log(studio: Served, world: World) -> None:
    _, page, _ = ask(f"{studio.url}/pipelines/{PIPELINE}/executions/{world.bad}?step=Measure")
    text = text_of(page)
    assert "Why it was not taken from the cache" in text
    assert "Environment.SEED 1 2" in text
    assert "measured 0.9" in text


def test_two_executions_beside_each_other(studio: Served, world: World) -> None:
    _, page, _ = ask(f"{studio.url}/pipelines/{PIPELINE}/compare?left={world.good}&right={world.bad}")
    text = text_of(page)
    assert "Least 0.895 0.99" in text
    assert "Seed 1 2" in text
    assert "All 2 are equal." in text  # the metrics
    assert "Both ran the same definition." in text


def test_a_version_shows_its_metrics_with_their_interval_and_its_report(studio: Served) -> None:
    _, page, _ = ask(f"{studio.url}/registry/{GROUP}/1")
    text = text_of(page)
    assert "r2 0.9 0.8804 to 0.9196" in text
    assert "there is no champion to compare with" in text
    assert re.search(r'<iframe src="/raw\?uri=s3%3A%2F%2F[^"]+report\.html" sandbox=""', page)
    assert ENDPOINT in text  # at the end of the lineage


def test_above_a_report_stands_what_the_account_knows_of_it(studio: Served, world: World) -> None:
    for path in (f"/registry/{GROUP}/1", f"/pipelines/{PIPELINE}/executions/{world.good}"):
        page = ask(studio.url + path)[1]
        text = text_of(page[: page.index("<iframe")])
        assert f"Model {GROUP} version 1, " in text, path
        assert f"Execution {world.good}, started " in text, path
        assert "Rejected rows 7 of 1,000: no <rooms> (7)" in text, path
    rejected = text_of(ask(f"{studio.url}/pipelines/{PIPELINE}/executions/{world.bad}")[1])
    assert f"Model {GROUP}, not registered" in rejected


def test_what_a_job_wrote_is_shown_without_scripts_and_without_this_origin(studio: Served, world: World) -> None:
    uri = quote(f"s3://{BUCKET}/studio/{world.good}/report.html", safe="")
    status, page, headers = ask(f"{studio.url}/raw?uri={uri}")
    assert status == 200
    assert "The report" in page
    policy = headers["content-security-policy"]
    assert policy.startswith("sandbox; default-src 'none'")
    assert "allow-" not in policy
    assert headers["x-content-type-options"] == "nosniff"


def test_what_only_claims_to_be_harmless_is_plain_text(studio: Served) -> None:
    _, _, headers = ask(f"{studio.url}/raw?uri=s3://{BUCKET}/studio/table.csv")
    assert headers["content-type"] == "text/plain; charset=utf-8"


def test_a_start_with_other_parameters_and_a_number_that_is_none(studio: Served, sagemaker: Any) -> None:
    url = f"{studio.url}/pipelines/{PIPELINE}/start"
    form = {"token": studio.keeper.token, "parameter.Least": "0.5", "parameter.Seed": "1"}
    status, _, headers = ask(url, form)
    assert status == 303
    identity = headers["location"].rpartition("/")[2]
    arn = f"arn:aws:sagemaker:us-east-1:000000000000:pipeline/{PIPELINE}/execution/{identity}"
    found = sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=arn)["PipelineParameters"]
    assert {entry["Name"]: entry["Value"] for entry in found} == {"Least": "0.5", "Seed": "1"}
    status, page, _ = ask(url, form | {"parameter.Least": "high"})
    assert status == 400
    assert "The parameter Least is 'high': it must be a number." in text_of(page)


def test_a_version_is_rejected_with_a_comment(studio: Served, sagemaker: Any) -> None:
    arn = f"arn:aws:sagemaker:us-east-1:000000000000:model-package/{GROUP}/1"
    form = {"token": studio.keeper.token, "status": "Rejected", "comment": "too old"}
    status, _, headers = ask(f"{studio.url}/registry/{GROUP}/1/decision", form)
    assert (status, headers["location"]) == (303, f"/registry/{GROUP}/1")
    package = sagemaker.describe_model_package(ModelPackageName=arn)
    assert (package["ModelApprovalStatus"], package["ApprovalDescription"]) == ("Rejected", "too old")
    assert "✗ Rejected" in text_of(ask(f"{studio.url}/registry/{GROUP}/1")[1])
    assert ask(f"{studio.url}/registry/{GROUP}/1/decision", form | {"status": "Perhaps"})[0] == 400


def test_nothing_changes_without_the_token_or_from_another_origin(studio: Served, sagemaker: Any) -> None:
    url, form = f"{studio.url}/registry/{GROUP}/1/decision", {"status": "Approved", "token": studio.keeper.token}
    before = sagemaker.describe_model_package(
        ModelPackageName=f"arn:aws:sagemaker:us-east-1:000000000000:model-package/{GROUP}/1"
    )
    assert ask(url, form | {"token": "guess"})[0] == 403
    assert ask(url, {"status": "Approved"})[0] == 403
    for origin in ("https://evil.example", "null", "http://127.0.0.1:1"):
        assert ask(url, form, Origin=origin)[0] == 403
    assert ask(url, form, Sec_Fetch_Site="cross-site")[0] == 403
    assert ask(url, form, Host="studio.evil.example")[0] == 403
    after = sagemaker.describe_model_package(ModelPackageName=before["ModelPackageArn"])
    assert after["ModelApprovalStatus"] == before["ModelApprovalStatus"]


def test_a_prediction_with_its_interval_and_the_same_request_in_three_languages(
    studio: Served, server: LocalServer
) -> None:
    _, page, _ = ask(f"{studio.url}/endpoints/{ENDPOINT}")
    assert "1 to 9 in the training data" in page
    url = f"{studio.url}/endpoints/{ENDPOINT}/prediction"
    form = {"token": studio.keeper.token, "form": "fields", "field.rooms": "4", "field.lake": "true"}
    status, page, _ = ask(url, form)
    assert status == 200
    assert "450 between 440 and 460 with 90 % coverage" in text_of(page)
    snippets = [unescape(code) for code in re.findall(r"<pre tabindex=\"0\" data-copy>([^<]+)</pre>", page)]
    curl = next(code for code in snippets if code.startswith("curl "))
    python = next(code for code in snippets if code.startswith("import boto3"))
    for command in (["bash", "-c", curl], [sys.executable, "-c", python]):
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert '"score": 450.0' in done.stdout, (done.stdout, done.stderr)
    status, page, _ = ask(url, form | {"field.rooms": "four"})
    assert (status, "rooms is 'four': it must be a number." in text_of(page)) == (400, True)
    _, page, _ = ask(url, form | {"field.rooms": "-1"})
    assert "InvokeEndpoint:" in text_of(page)


def test_an_endpoint_goes_back_to_another_configuration(studio: Served, sagemaker: Any) -> None:
    form = {"token": studio.keeper.token, "config": f"{ENDPOINT}-2"}
    assert ask(f"{studio.url}/endpoints/{ENDPOINT}/configuration", form)[0] == 303
    sagemaker.get_waiter("endpoint_in_service").wait(
        EndpointName=ENDPOINT, WaiterConfig={"Delay": 1, "MaxAttempts": 120}
    )
    assert sagemaker.describe_endpoint(EndpointName=ENDPOINT)["EndpointConfigName"] == f"{ENDPOINT}-2"


def test_what_is_not_there_is_said_in_one_sentence(studio: Served) -> None:
    for path, words in (
        ("/pipelines/none", "none"),
        ("/registry/none/1", "none"),
        ("/endpoints/none", "none"),
        ("/jobs/sleeping", "There is no kind of job sleeping: there are processing, training, transform, tuning."),
        ("/nowhere", "There is no page /nowhere."),
        (f"/pipelines/{PIPELINE}/compare", "The address has no left."),
        ("/objects?uri=file:///etc/passwd", "is not a location such as s3://bucket/key."),
    ):
        status, page, _ = ask(studio.url + path)
        assert status in (400, 404), path
        assert words in text_of(page), path


def test_a_fault_of_the_studio_is_said_and_the_next_page_is_there(
    studio: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "events_page", lambda account: 1 / 0)
    status, page, headers = ask(f"{studio.url}/events")
    assert status == 500
    assert "ZeroDivisionError" in text_of(page)
    assert "script-src 'self'" in headers["content-security-policy"]
    monkeypatch.undo()
    assert ask(f"{studio.url}/events")[0] == 200


def test_the_last_decision_of_the_monitoring_is_shown_with_its_numbers(studio: Served) -> None:
    status, page, _ = ask(f"{studio.url}/monitoring")
    said = text_of(page)
    assert status == 200
    assert f"/pipelines/{WATCHING}/executions/" in page
    assert "2026-06-01T00:00 to 2026-07-01T00:00 The level <moved> by -3.0 %." in said
    assert "0.97 (0.96 to 0.98) on 300 new rows" in said
    assert "2026-06 1 500 40 -3.1 % 12.0 %" in said
    assert "estimated before the prices are known 10.0 %" in said
    assert "rooms 0.21 0.3 0.5" in said
    assert "<moved>" not in page
