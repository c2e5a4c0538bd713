"""What `monitor` says of an execution that is over."""

import pytest

from command_line.monitoring_commands import training_of
from pipelines.watching.executions import describe
from tests.pipelines.conftest import Executions, execution_arn, step

ARN = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/house-prices-training/execution/abc"


@pytest.mark.parametrize(("training", "told"), [(ARN, ARN), ("none", None), ("it is not there", "it is not there")])
def test_the_training_that_was_started_is_named(executions: Executions, training: str, told: str | None) -> None:
    outputs = [{"Name": "Done", "Value": "metrics"}, {"Name": "Training", "Value": training}]
    act = step("Act", Metadata={"Lambda": {"Arn": "arn:x", "OutputParameters": outputs}})
    executions.script = [("Succeeded", [step("Decide"), act])]
    assert training_of(describe(executions.sagemaker, execution_arn("abc"))) == told


def test_where_nothing_was_decided_there_is_no_training(executions: Executions) -> None:
    executions.script = [("Succeeded", [step("Observe"), step("Decide")])]
    assert training_of(describe(executions.sagemaker, execution_arn("abc"))) is None
