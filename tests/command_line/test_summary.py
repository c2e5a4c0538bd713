"""What a run ends with."""

import json
from pathlib import Path

import pytest

from command_line.summary import Commands, outcome, show_summary
from pipelines.watching.executions import describe
from tests.aws_stub import arn
from tests.command_line.conftest import evaluated, validated
from tests.pipelines.conftest import GROUP, Executions, Output, execution_arn, job, step

PYTHON = ".venv/bin/python"
COMMANDS = Commands(f"{PYTHON} run_pipeline.py --local", f"{PYTHON} deploy_model.py --local", "staging", "house.json")


def summarise(executions: Executions, output: Output, reports: Path) -> str:
    execution = describe(executions.sagemaker, execution_arn("abc"))
    result = outcome(executions.sagemaker, executions.s3, "house-prices", execution, reports)
    show_summary(output, execution, result, unit="USD", commands=COMMANDS, log_folder=Path("/state/jobs"))
    return output.text


def succeed(executions: Executions, status: str = "PendingManualApproval") -> None:
    metadata = {"RegisterModel": {"Arn": executions.register(status)}}
    executions.script = [("Succeeded", [step("Train"), step("RegisterModel", Metadata=metadata)])]


def test_success_shows_durations_metrics_package_report_and_next_commands(
    executions: Executions, output: Output, tmp_path: Path
) -> None:
    succeed(executions)
    text = summarise(executions, output, tmp_path)
    for expected in (
        execution_arn("abc"),
        "Train          Succeeded  3.1 s",
        "xgboost  $112,345  $61,234",
        f"{arn(f'model-package/{GROUP}/1')}  PendingManualApproval",
        "s3://bucket/evaluation/1/",
        str(tmp_path / "abc" / "evaluation.html"),
    ):
        assert expected in text
    assert text.splitlines()[-4:] == [
        f"  {PYTHON} run_pipeline.py --local report 1",
        f'  {PYTHON} run_pipeline.py --local approve 1 --comment "..."',
        f"  {PYTHON} deploy_model.py --local deploy --latest-approved --stage staging",
        f"  {PYTHON} deploy_model.py --local predict --stage staging house.json",
    ]
    assert (tmp_path / "abc" / "evaluation.html").read_bytes() == b"<html>report</html>"


def test_what_the_checks_of_the_data_warn_of_is_printed(executions: Executions, output: Output, tmp_path: Path) -> None:
    succeed(executions)
    key = "evaluation/1/evaluation.json"
    document = json.loads(executions.s3.get_object(Bucket="bucket", Key=key)["Body"].read())
    checks = [{"severity": "ok", "text": "All is well."}, {"severity": "warning", "text": "It drifts."}]
    executions.s3.put_object(Bucket="bucket", Key=key, Body=json.dumps({**document, "data": {"checks": checks}}))
    lines = summarise(executions, output, tmp_path).splitlines()
    assert [line for line in lines if line.startswith("warning: ")] == ["warning: It drifts."]


def test_for_another_table_a_request_is_made_first() -> None:
    commands = Commands("run", "deploy", "staging", "homes-request.json", "homes.csv")
    assert commands.next(1, "Approved")[:3] == [
        "run report 1",
        "run sample --data homes.csv --output homes-request.json",
        "deploy deploy --latest-approved --stage staging",
    ]


def test_a_version_that_is_approved_already_needs_no_approval(
    executions: Executions, output: Output, tmp_path: Path
) -> None:
    succeed(executions, "Approved")
    assert "approve 1" not in summarise(executions, output, tmp_path)


def test_failure_shows_what_failed_why_and_where_its_log_is(
    executions: Executions, output: Output, tmp_path: Path
) -> None:
    failed = step("Train", "Failed", FailureReason="no rows", Metadata=job("TrainingJob", "train-1"))
    executions.script = [("Failed", [failed])]
    assert summarise(executions, output, tmp_path).splitlines()[-2:] == [
        "Step Train failed: no rows",
        "Its log: /state/jobs/training/train-1/output.log",
    ]


def test_a_rejected_model_has_metrics_gates_and_a_report(
    executions: Executions, output: Output, tmp_path: Path
) -> None:
    evaluated(executions, MinR2="0.9", MaxMape="0.15")
    text = summarise(executions, output, tmp_path)
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert "Step RejectModel failed: MAPE is 0.2 (at most 0.15)." in lines
    assert "xgboost $112,345 $61,234 - 0.9041" in lines
    assert "MinR2 0.9041 at least 0.9 passed narrowly" in lines
    assert "MaxMape 0.2 at most 0.15 missed" in lines
    assert "Relaxed for this execution: MinR2 is 0.9, not 0.95." in lines
    assert not any("MaxMape is" in line for line in lines)
    assert (tmp_path / "abc" / "evaluation.html").read_bytes() == b"<html>rejected</html>"
    assert "Model package" not in text
    assert lines[-2:] == ["Next:", f"{PYTHON} run_pipeline.py --local report abc"]


def test_the_report_says_which_gates_were_relaxed(executions: Executions, tmp_path: Path) -> None:
    evaluated(executions, MinR2="0.9", MaxMape="0.15")
    executions.aws.objects["bucket", "x/evaluation.html"] = b"<dl class='about'></dl>"
    outcome(executions.sagemaker, executions.s3, GROUP, describe(executions.sagemaker, execution_arn("abc")), tmp_path)
    page = (tmp_path / "abc" / "evaluation.html").read_text()
    assert "<dt>Relaxed by parameters</dt><dd>MinR2 is 0.9, not 0.95</dd>" in page


def test_a_report_without_relaxed_gates_says_nothing_of_them(executions: Executions, tmp_path: Path) -> None:
    evaluated(executions, MinR2="0.95")
    executions.aws.objects["bucket", "x/evaluation.html"] = b"<dl class='about'></dl>"
    outcome(executions.sagemaker, executions.s3, GROUP, describe(executions.sagemaker, execution_arn("abc")), tmp_path)
    assert "Relaxed" not in (tmp_path / "abc" / "evaluation.html").read_text()


def test_the_rows_that_were_rejected_are_counted_and_their_report_is_named(
    executions: Executions, output: Output, tmp_path: Path
) -> None:
    evaluated(executions)
    validated(executions)
    assert (
        f"Data houses.csv: 1,000 rows read, 3 rejected. Why: {PYTHON} run_pipeline.py --local report abc --validation"
        in summarise(executions, output, tmp_path).splitlines()
    )


def test_json_of_a_rejected_model_has_its_evaluation(executions: Executions, tmp_path: Path) -> None:
    evaluated(executions, MinR2="0.95")
    document = json.loads(summarise(executions, Output(json_output=True), tmp_path))
    assert document["model_package"] is None
    assert [gate["passed"] for gate in document["evaluation"]["gates"]] == [True, False]
    assert document["relaxed_gates"] == []
    assert document["report_uri"] == "s3://bucket/x/"


def test_with_json_the_last_line_beside_the_document_says_why_it_failed(
    executions: Executions, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evaluated(executions)
    json.loads(summarise(executions, Output(json_output=True), tmp_path))
    assert capsys.readouterr().err.splitlines()[-1] == "Step RejectModel failed: MAPE is 0.2 (at most 0.15)."


def test_json_is_one_document_with_the_model_package(executions: Executions, tmp_path: Path) -> None:
    succeed(executions)
    document = json.loads(summarise(executions, Output(json_output=True), tmp_path))
    assert document["status"] == "Succeeded"
    assert document["model_package"]["version"] == 1
    assert document["model_package"]["evaluation"]["candidates"]["linear"]["rmse"] == 125049.0
