"""What a handled step gives its handler, whom it calls, and how it ends by what the handler returns."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from local_sagemaker.engine.handled_steps import HandledSteps
from local_sagemaker.handlers.handlers import HandlerFailed
from local_sagemaker.wire.dispatch import Caller

ARN = "arn:aws:lambda:us-east-1:000000000000:function:count"
DECLARED = [{"OutputName": "rows", "OutputType": "Integer"}]
LAMBDA = {"Type": "Lambda", "FunctionArn": ARN, "OutputParameters": DECLARED, "Arguments": {"n": 1}, "DependsOn": ["A"]}


class Running:
    """A handler that returns what it is given, or raises it; `asked` is what it was called with."""

    def __init__(self, answer: Any) -> None:
        self.answer, self.asked, self.stopped = answer, (None, None), False

    def stop(self) -> None:
        self.stopped = True

    def result(self, arguments: Any, context: Any) -> Any:
        self.asked = (arguments, context)
        answer = self.answer() if callable(self.answer) else self.answer
        if isinstance(answer, Exception):
            raise answer
        return answer


class Parties:
    """Handlers and functions of this machine, and the steps that they run."""

    def __init__(self, answer: Any, folder: Path, key: str | None = None, here: bool = True) -> None:
        self.running = Running(answer)
        self.called: list[str] = []
        self.allowed: list[str] = []
        self.stop: Any = None
        handlers: Any = SimpleNamespace(key_for=lambda raw: key, call=lambda name, log, environment: self._call(name))
        functions: Any = SimpleNamespace(has=lambda arn: here, call=lambda arn, log: self._call(arn))
        self.steps = HandledSteps(handlers, folder, {}, functions, lambda arn, caller: self.allowed.append(arn))

    def _call(self, who: str) -> Running:
        self.called.append(who)
        return self.running

    def run(self, raw: dict[str, Any]) -> Any:
        def started(kind: str, job: str, metadata: Any, stop: Any) -> None:
            self.stop = stop

        task: Any = SimpleNamespace(
            step=SimpleNamespace(raw=raw, name="S"), execution_id="e", execution_arn="arn:x", arguments={"n": 1},
            scope=None, started=started,
        )  # fmt: skip
        return self.steps.run(task, Caller("000000000000", "us-east-1"))


def test_a_function_has_the_steps_arguments_and_its_outputs_are_the_steps(tmp_path: Path) -> None:
    parties = Parties({"rows": "12", "more": 1}, tmp_path)
    found = parties.run(LAMBDA)
    assert (found.status, found.properties) == (
        "Succeeded",
        {"rows": "12", "more": 1, "OutputParameters": {"rows": 12}},
    )
    assert found.metadata == {"Lambda": {"Arn": ARN, "OutputParameters": [{"Name": "rows", "Value": "12"}]}}
    assert (parties.called, parties.allowed) == ([ARN], [ARN])
    arguments, context = parties.running.asked
    assert arguments == {"n": 1}
    assert (context["function_name"], context["invoked_function_arn"]) == ("count", ARN)
    assert context["pipeline_execution_arn"] == "arn:x"
    assert len(context["aws_request_id"]) == 32
    assert set(context["step"]) == {"Type", "FunctionArn", "OutputParameters"}


def test_an_arn_that_names_no_function_gives_no_function_name(tmp_path: Path) -> None:
    parties = Parties({}, tmp_path)
    parties.run({"Type": "Lambda", "FunctionArn": "arn:aws:lambda:us-east-1:000000000000:function"})
    assert parties.running.asked[1]["function_name"] == ""


def test_a_handler_goes_before_a_function_and_a_step_of_another_type_asks_for_no_permission(tmp_path: Path) -> None:
    parties = Parties({}, tmp_path, key="Emr")
    assert parties.run({"Type": "EMR"}).metadata == {}
    assert (parties.called, parties.allowed) == (["Emr"], [])


@pytest.mark.parametrize(
    ("answer", "reason"),
    [(HandlerFailed("it broke"), "ClientError: it broke"), ({}, "ClientError: The output parameter rows is missing")],
    ids=["raises", "lacks an output"],
)
def test_a_handler_that_fails_fails_the_step_with_the_reason(tmp_path: Path, answer: Any, reason: str) -> None:
    found = Parties(answer, tmp_path).run(LAMBDA)
    assert (found.status, found.failure_reason) == ("Failed", reason)


def test_one_that_was_stopped_has_stopped(tmp_path: Path) -> None:
    parties = Parties(None, tmp_path)

    def stopped() -> Exception:
        parties.stop()
        return HandlerFailed("killed")

    parties.running.answer = stopped
    found = parties.run(LAMBDA)
    assert (found.status, found.failure_reason) == ("Stopped", None)
    assert parties.running.stopped


@pytest.mark.parametrize(
    ("raw", "key", "here", "supported"),
    [
        ({"Type": "EMR"}, "Emr", False, True),
        ({"Type": "EMR"}, None, True, False),
        (LAMBDA, None, True, True),
        (LAMBDA, None, False, False),
        ({"Type": "EMR", "FunctionArn": ARN}, None, True, False),
        ({"Type": "Lambda", "FunctionArn": {"Get": "Parameters.F"}}, None, True, False),
    ],
)
def test_a_step_is_handled_by_a_handler_or_by_a_function_that_is_here(
    tmp_path: Path, raw: dict[str, Any], key: str | None, here: bool, supported: bool
) -> None:
    assert Parties(None, tmp_path, key, here).steps.supports(raw) is supported
