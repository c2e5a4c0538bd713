"""The numbers of an evaluation, and its report on this machine."""

import json
from pathlib import Path

import pytest

from command_line.versions_view import metrics_table
from pipelines.errors import PipelineError
from pipelines.versions.evaluation_report import amount, download_report, read_evaluation
from tests.pipelines.conftest import EVALUATION, Executions, Output

URI = "s3://bucket/run/evaluation.json"


def test_candidates_are_shown_in_the_targets_unit(executions: Executions, output: Output) -> None:
    executions.aws.objects["bucket", "run/evaluation.json"] = json.dumps(EVALUATION).encode()
    evaluation = read_evaluation(executions.s3, URI)
    assert evaluation.rmse_ratio == 0.8984
    output.show(metrics_table(evaluation, "USD"))
    assert output.text.splitlines() == [
        "MODEL    RMSE      MAE      MAPE  R2",
        "xgboost  $112,345  $61,234  -     0.9041",
        "linear   $125,049  $70,000  -     -",
    ]


def test_an_evaluation_without_candidates_shows_the_model(executions: Executions, output: Output) -> None:
    document = {"regression_metrics": EVALUATION["regression_metrics"]}
    executions.aws.objects["bucket", "run/evaluation.json"] = json.dumps(document).encode()
    output.show(metrics_table(read_evaluation(executions.s3, URI), "minutes"))
    assert output.text.splitlines()[1].split() == [
        "model",
        "112,345",
        "minutes",
        "61,234",
        "minutes",
        "11.3",
        "%",
        "0.9041",
    ]


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"regression_metrics": []}'])
def test_another_layout_is_refused_by_its_place(executions: Executions, content: bytes) -> None:
    executions.aws.objects["bucket", "run/evaluation.json"] = content
    with pytest.raises(PipelineError, match=f"{URI} is not an evaluation"):
        read_evaluation(executions.s3, URI)


def test_a_missing_evaluation_is_named(executions: Executions) -> None:
    with pytest.raises(PipelineError, match=f"{URI} does not exist any more"):
        read_evaluation(executions.s3, URI)


def test_the_report_is_what_lies_beside_the_evaluation_and_nothing_else(executions: Executions, tmp_path: Path) -> None:
    for key in ("evaluation.json", "evaluation.html", "predictions.parquet", "plots/a.html"):
        executions.aws.objects["bucket", f"run/{key}"] = key.encode()
    executions.aws.objects["bucket", "run-2/evaluation.html"] = b"another run"
    folder = tmp_path / "reports" / "abc"
    assert download_report(executions.s3, URI, folder) == [folder / "evaluation.html", folder / "evaluation.json"]
    assert sorted(path.name for path in folder.iterdir()) == ["evaluation.html", "evaluation.json"]
    assert (folder / "evaluation.html").read_bytes() == b"evaluation.html"
    assert download_report(executions.s3, URI, folder)  # again, over the files that are there


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (112345.4, "USD", "$112,345"),
        (12.3456, "minutes", "12.35 minutes"),
        (5.0, "", "5"),
        (None, "USD", "-"),
        (-1500.0, "EUR", "-1,500 EUR"),
    ],
)
def test_amounts_are_readable(value: float | None, unit: str, text: str) -> None:
    assert amount(value, unit) == text
