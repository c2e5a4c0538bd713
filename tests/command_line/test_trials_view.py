"""The trials of a tuning step as a person reads them."""

import pytest

from command_line.trials_view import read_trials, show_trials
from pipelines.watching.executions import describe
from pipelines.watching.trials import Trial, Tuning
from tests.aws_stub import Refusal
from tests.pipelines.conftest import Executions, Output, execution_arn, job, step

TRIALS = (
    Trial("t-3", "Completed", 3.1, 1234.5678, {"max_depth": "3", "rounds": "200"}, True),
    Trial("t-2", "Failed", None, None, {"max_depth": "2"}, False),
)


def test_a_trial_is_a_line_with_its_metric_its_values_and_the_best_is_marked(output: Output) -> None:
    show_trials(output, [Tuning("Train", "t", "Minimize validation:rmse", TRIALS)])
    lines = [line.split() for line in output.text.splitlines() if line]
    assert " ".join(lines[0]) == "Step Train tried (Minimize validation:rmse):"
    assert lines[1] == ["TRAINING", "JOB", "STATUS", "DURATION", "METRIC", "MAX_DEPTH", "ROUNDS", "NOTE"]
    assert lines[2] == ["t-3", "Completed", "3.1", "s", "1,234.57", "3", "200", "best"]
    assert lines[3] == ["t-2", "Failed", "-", "-", "2", "-"]


def test_an_execution_without_tuning_has_no_such_lines(output: Output) -> None:
    show_trials(output, [])
    assert output.text == ""


def test_who_may_not_ask_is_told_and_the_run_goes_on(
    executions: Executions, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(request: object) -> dict[str, object]:
        raise Refusal("AccessDeniedException", "User: ada is not authorized to perform: sagemaker:Describe", 403)

    executions.aws.answers["DescribeHyperParameterTuningJob"] = refuse
    executions.script = [("Succeeded", [step("Train", Metadata=job("TuningJob", "t"))])]
    assert read_trials(executions.sagemaker, describe(executions.sagemaker, execution_arn("abc"))) == []
    assert capsys.readouterr().err.startswith("note: the trials of the tuning are not shown: ")
