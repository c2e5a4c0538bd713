"""What a fetched report says before all else."""

import json
from pathlib import Path
from typing import Any

import pytest

from pipelines.versions.report_facts import Fact, fetch_report, report_facts, with_facts
from pipelines.watching.executions import ExecutionSummary, describe
from tests.pipelines.conftest import DEFINITION, GROUP, Executions, execution_arn, job, step

PAGE = b"<h1>Evaluation</h1><dl class='about'><div><dt>Rows</dt></div></dl><dl class='about'></dl>"
CHAMPION = "s3://bucket/models/2/model.tar.gz"
CONTAINERS = {"InferenceSpecification": {"Containers": [{"ModelDataUrl": CHAMPION}]}}
VALIDATION = {
    "file": "houses.csv",
    "sha256": "0123456789abcdef",
    "rows": {"read": 1000, "rejected": 3},
    "expectations": [
        {"level": "rows", "reason": "price is missing", "unexpected_rows": 2},
        {"level": "rows", "reason": "id is missing", "unexpected_rows": 0},
        {"level": "table", "reason": "there must be 50 rows", "unexpected_rows": 9},
        {"level": "rows", "reason": "rooms < 1", "unexpected_rows": 1},
    ],
}


@pytest.fixture(name="execution")
def an_execution(executions: Executions) -> ExecutionSummary:
    """It validated houses.csv and evaluated a model, against the champion that is version 1."""
    executions.register("Approved", **CONTAINERS)
    executions.register("Approved", InferenceSpecification={"Containers": [{"ModelDataUrl": "s3://bucket/other"}]})
    registering = json.loads(json.dumps(DEFINITION))
    register = registering["Steps"][1]["Arguments"]["IfSteps"][0]
    register["Arguments"] = {"CustomerMetadataProperties": {"git_commit": "0123456"}}
    output = {"OutputName": "report", "S3Output": {"S3Uri": "s3://bucket/v"}}
    executions.aws.answers |= {
        "DescribePipelineDefinitionForExecution": lambda request: {"PipelineDefinition": json.dumps(registering)},
        "ListPipelineParametersForExecution": lambda request: {
            "PipelineParameters": [{"Name": "ChampionModelUri", "Value": CHAMPION}]
        },
        "DescribeProcessingJob": lambda request: {"ProcessingOutputConfig": {"Outputs": [output]}},
    }
    executions.aws.objects["bucket", "v/validation.json"] = json.dumps(VALIDATION).encode()
    executions.aws.objects["bucket", "v/index.html"] = b"the data"
    executions.script = [("Failed", [step("ValidateData", Metadata=job("ProcessingJob", "validate-1"))])]
    return describe(executions.sagemaker, execution_arn("abc"))


def told(executions: Executions, execution: ExecutionSummary) -> dict[str, str]:
    facts = report_facts(executions.sagemaker, executions.s3, GROUP, execution)
    return {fact.name: fact.text for fact in facts}


def test_a_rejected_model_says_what_it_was_made_of(executions: Executions, execution: ExecutionSummary) -> None:
    facts = told(executions, execution)
    assert facts.pop("Started").endswith(" UTC by ada")
    assert facts == {
        "Model": f"{GROUP}, not registered",
        "Commit": "0123456",
        "Data": "houses.csv, SHA-256 0123456789ab",
        "Rejected rows": "3 of 1,000: price is missing (2); rooms < 1 (1)",
        "Champion's version": "1",
    }


def test_a_registered_model_says_its_version(executions: Executions, execution: ExecutionSummary) -> None:
    metadata = {"RegisterModel": {"Arn": executions.register()}}
    executions.script = [("Succeeded", [step("RegisterModel", Metadata=metadata)])]
    facts = told(executions, describe(executions.sagemaker, execution_arn("abc")))
    assert facts["Model"].startswith(f"{GROUP}, version 3, PendingManualApproval, registered 2")
    assert "Data" not in facts  # nothing was validated


@pytest.mark.parametrize(
    ("properties", "said"),
    [
        ({}, None),
        ({"reserve": "s3://bucket/r"}, "not scored yet: a promotion does that"),
        ({"reserve": "s3://bucket/r", "reserve_summary": "400 rows: R2 0.91"}, "400 rows: R2 0.91"),
    ],
)
def test_what_the_reserve_of_a_version_said_stands_in_its_report(
    executions: Executions, execution: ExecutionSummary, properties: dict[str, str], said: str | None
) -> None:
    metadata = {"RegisterModel": {"Arn": executions.register("Approved", CustomerMetadataProperties=properties)}}
    executions.script = [("Succeeded", [step("RegisterModel", Metadata=metadata)])]
    assert told(executions, describe(executions.sagemaker, execution_arn("abc"))).get("Reserve") == said


def test_whose_commit_a_build_has_started_is_the_author(executions: Executions, execution: ExecutionSummary) -> None:
    answer = executions.DescribePipelineExecution
    executions.aws.answers["DescribePipelineExecution"] = lambda request: {
        **answer(request),
        "PipelineExecutionDescription": "commit 0123456 by Eve <eve@example.com>",
    }
    assert told(executions, execution)["Started"].endswith(" by eve@example.com")


@pytest.mark.parametrize("uri", ["", "s3://bucket/champion/none.json", "s3://bucket/nowhere"])
def test_a_champion_that_is_no_version_is_not_named(
    executions: Executions, execution: ExecutionSummary, uri: str
) -> None:
    executions.aws.answers["ListPipelineParametersForExecution"] = lambda request: {
        "PipelineParameters": [{"Name": "ChampionModelUri", "Value": uri}]
    }
    assert "Champion's version" not in told(executions, execution)


def test_the_report_on_the_data_lies_where_the_link_leads(
    executions: Executions, execution: ExecutionSummary, tmp_path: Path
) -> None:
    executions.aws.objects["bucket", "x/evaluation.html"] = PAGE
    arguments: Any = (executions.sagemaker, executions.s3, GROUP, execution, "s3://bucket/x/evaluation.json", tmp_path)
    assert fetch_report(*arguments) == [tmp_path / "evaluation.html"]
    page = (tmp_path / "evaluation.html").read_text()
    assert "<a href='validation/index.html'>3 of 1,000: price is missing (2); rooms &lt; 1 (1)</a>" in page
    assert (tmp_path / "validation" / "index.html").read_bytes() == b"the data"


def test_facts_come_first_once_and_are_text() -> None:
    page = with_facts(PAGE, [Fact("Commit", "<b>")])
    assert page.count(b"&lt;b&gt;") == 1
    assert page.index(b"&lt;b&gt;") < page.index(b"Rows")
    assert with_facts(b"<html>older</html>", [Fact("Commit", "a")]) == b"<html>older</html>"
