"""Two executions side by side: parameters, durations, metrics, arguments that differ."""

from collections.abc import Mapping
from typing import Any

from studio.account.account import Account
from studio.account.attempts import attempts_for
from studio.pages.cache import Difference, differences
from studio.pages.execution import Execution
from studio.pages.executions import property_files, read_execution
from studio.pages.metrics import flat_numbers
from studio.previews.objects import read_json


def comparison_page(account: Account, pipeline: str, left: str, right: str) -> dict[str, Any]:
    """Both executions, and what is not equal."""
    both = [read_execution(account, pipeline, identity) for identity in (left, right)]
    names = list(dict.fromkeys([*both[0].parameters, *both[1].parameters]))
    steps = list(dict.fromkeys(run.name for each in both for run in each.steps))
    runs = [{run.name: run for run in each.steps} for each in both]
    numbers = [_numbers(account, each) for each in both]
    measured = dict.fromkeys([*numbers[0], *numbers[1]])
    return {
        "pipeline": pipeline,
        "both": both,
        "parameters": [(name, *(each.parameters.get(name) for each in both)) for name in names],
        "steps": [(name, *(each.get(name) for each in runs)) for name in steps],
        "metrics": [(name, *(each.get(name) for each in numbers)) for name in measured],
        "arguments": _arguments(*both),
    }


def _numbers(account: Account, execution: Execution) -> dict[str, float]:
    """The numbers of the property files, by file and path."""
    files = property_files(account, execution)
    read = attempts_for(files.values(), lambda uri: read_json(account, uri))
    found: dict[str, float] = {}
    for (step, name), answer in zip(files, read, strict=True):
        found.update({f"{step} · {name} · {path}": value for path, value in flat_numbers(answer.value)})
    return found


def _arguments(left: Execution, right: Execution) -> list[Difference]:
    old, new = ({step.name: _own(step.document) for step in each.definition.steps} for each in (left, right))
    return list(differences(old, new))


def _own(document: Mapping[str, Any]) -> Any:
    arguments = document.get("Arguments")
    if not isinstance(arguments, Mapping):
        return arguments
    return {key: value for key, value in arguments.items() if key not in ("IfSteps", "ElseSteps", "Steps")}
