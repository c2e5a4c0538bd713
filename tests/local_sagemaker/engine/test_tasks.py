"""What passes between an execution and its steps: results and tasks, which nobody changes on the way."""

import threading
from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from local_sagemaker.definition.definition import Step
from local_sagemaker.engine.tasks import Result, Task

NOTHING: Any = None


def test_a_result_of_a_status_alone_has_nothing_else_and_shares_nothing() -> None:
    first, second = Result("Succeeded"), Result("Succeeded")
    assert (first.metadata, first.properties, first.failure_reason, first.outcome, first.exception) == (
        {}, {}, None, None, None,
    )  # fmt: skip
    first.metadata["a"] = 1
    assert second.metadata == {}


def test_results_and_tasks_stay_what_they_are() -> None:
    step = Step("S", "Fail", {}, frozenset(), None, {})
    task = Task(step, {}, NOTHING, "e", None, NOTHING, "arn:e", threading.Event(), "j")
    for value, field in ((Result("Failed"), "status"), (task, "job_name")):
        with pytest.raises(FrozenInstanceError):
            setattr(value, field, "other")
