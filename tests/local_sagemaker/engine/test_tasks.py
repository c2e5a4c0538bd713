"""What passes between an execution and its steps: results and tasks, which nobody changes on the way."""

import threading
from dataclasses import FrozenInstanceError, fields
from typing import Any

import pytest

from local_sagemaker.definition.definition import Definition, Step
from local_sagemaker.definition.faults import Fault
from local_sagemaker.definition.parameters import Parameter
from local_sagemaker.engine.schedule import Iteration, Node
from local_sagemaker.engine.tasks import Result, Task

NOTHING: Any = None


def test_a_result_of_a_status_alone_has_nothing_else_and_shares_nothing() -> None:
    first, second = Result("Succeeded"), Result("Succeeded")
    assert (first.metadata, first.properties, first.failure_reason, first.outcome, first.exception) == (
        {}, {}, None, None, None,
    )  # fmt: skip
    first.metadata["a"] = 1
    assert second.metadata == {}


STEP = Step("S", "Fail", {}, frozenset(), None, {})
TASK = Task(STEP, {}, NOTHING, "e", None, NOTHING, "arn:e", threading.Event(), "j")
ITERATION = Iteration("Loop", 0, "a")


@pytest.mark.parametrize(
    "value",
    [Result("Failed"), TASK, STEP, Definition({}, {}), Parameter("P", "String"), Fault("", "x"), ITERATION,
     Node("S", STEP, {}, iteration=ITERATION)],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_what_threads_share_stays_what_it_is(value: Any) -> None:
    for field in fields(value):
        with pytest.raises(FrozenInstanceError):
            setattr(value, field.name, "other")
