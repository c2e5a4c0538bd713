"""What a pipeline of the monitoring has last found, from an account with a few answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from studio.account.account import Account
from studio.pages.observed import observations
from tests.aws_stub import REGION, StubAws, arn, stub_aws

EXECUTION = arn("pipeline/p-monitoring/execution/")
DOCUMENT = {
    "decision": "watch",
    "window": {"since": "2026-06-01T00:00:00+00:00", "until": "2026-07-01T00:00:00+00:00"},
    "reasons": ["The level moved by -3.0 %."],
    "backtest": {"rows": 1234, "statistics": {"median_ratio": {"value": 0.97, "interval": [0.96, 0.98]}}},
    "cohorts": [{"month": "2026-06", "version": "3", "rows": 5000, "matured": 40, "level": -0.031, "mape": None}],
    "input_drift": {
        "p": 0.25,
        "rows": 5000,
        "what": "captured requests",
        "features": [{"name": "size", "psi": 0.01, "distance": 0.02, "wasserstein": None}],
    },
    "estimated_error": {"mape": 0.101, "by_width": 0.11, "actual": None},
}


@pytest.fixture
def aws() -> Iterator[StubAws]:
    """A pipeline whose newest execution runs, and whose one before has ended."""
    with stub_aws() as stub:
        names = ["p-training", "p-monitoring"]
        stub.answers["ListPipelines"] = lambda _: {"PipelineSummaries": [{"PipelineName": name} for name in names]}
        ended = {"new": "Executing", "old": "Succeeded"}
        stub.answers["ListPipelineExecutions"] = lambda _: {
            "PipelineExecutionSummaries": [
                {"PipelineExecutionArn": f"{EXECUTION}{name}", "PipelineExecutionStatus": status}
                for name, status in ended.items()
            ]
        }
        job = {"ProcessingJob": {"Arn": arn("processing-job/observe")}}
        stub.answers["ListPipelineExecutionSteps"] = lambda _: {
            "PipelineExecutionSteps": [
                {"StepName": "Collect", "Metadata": {}},
                {"StepName": "Observe", "Metadata": job},
            ]
        }
        output = {"OutputName": "observation", "S3Output": {"S3Uri": "s3://bucket/observed"}}
        stub.answers["DescribeProcessingJob"] = lambda _: {"ProcessingOutputConfig": {"Outputs": [output]}}
        yield stub


def found(aws: StubAws, document: Any) -> Any:
    aws.objects["bucket", "observed/monitoring.json"] = json.dumps(document).encode()
    account = Account(None, REGION, aws.url, False, {name: aws.client(name) for name in ("sagemaker", "s3")})
    (answer,) = observations(account)
    return answer


def test_the_newest_execution_that_has_ended_says_what_was_decided(aws: StubAws) -> None:
    each = found(aws, DOCUMENT).value
    assert (each.pipeline, each.execution, each.decision) == ("p-monitoring", "old", "watch")
    assert each.window == "2026-06-01T00:00 to 2026-07-01T00:00"
    assert each.level == "0.97 (0.96 to 0.98) on 1,234 new rows"
    assert each.cohorts == (("2026-06", "3", "5,000", "40", "-3.1 %", "–"),)
    assert each.drift == "p 0.25 over all features of 5,000 captured requests"
    assert each.features == (("size", "0.01", "0.02", "–"),)
    assert each.estimate[0] == ("estimated before the prices are known", "10.1 %")
    assert each.estimate[2] == ("actual", "–")


@pytest.mark.parametrize(
    "document",
    [
        {"decision": "ok"},
        {"decision": "ok", "window": [], "cohorts": {}, "input_drift": 5, "backtest": {"statistics": []}},
        {"decision": ["x"], "reasons": "no list", "cohorts": [1], "estimated_error": {"mape": "much"}},
    ],
)
def test_a_document_of_another_form_shows_what_is_there(aws: StubAws, document: Any) -> None:
    each = found(aws, document).value
    assert each.decision == str(document["decision"])
    assert each.level == ""


@pytest.mark.parametrize("document", [[], {"metrics": 1}, "text"])
def test_a_document_without_a_decision_is_said(aws: StubAws, document: Any) -> None:
    assert "names no decision" in found(aws, document).problem


def test_a_pipeline_without_an_observation_has_none(aws: StubAws) -> None:
    account = Account(None, REGION, aws.url, False, {name: aws.client(name) for name in ("sagemaker", "s3")})
    (answer,) = observations(account)
    assert answer.ok
    assert answer.value is None
