"""What is wrong with ForEach steps: the limits of sagemaker.mlops.workflow.for_each_step of SDK v3, and names."""

import re
from collections.abc import Iterator
from typing import Any

from local_sagemaker.definition.expressions import is_expression
from local_sagemaker.definition.faults import Fault
from local_sagemaker.definition.outline import Outline, OutlinedStep

NOT_IN_A_BODY = ("Condition", "Fail", "ForEach")
MOST_AT_ONCE = 50
MOST_LITERAL_ITEMS = 100
PICKS = ("MaxBy", "MinBy")


def for_each_faults(step: OutlinedStep, known: Outline) -> Iterator[Fault]:
    """The faults of the arguments of a ForEach step, and of the names in its body."""
    path, arguments = f"{step.path}.Arguments", step.arguments
    yield from _items(arguments.get("IterableItems"), f"{path}.IterableItems")
    concurrency = arguments.get("MaxConcurrency", 1)
    whole = isinstance(concurrency, int) and not isinstance(concurrency, bool)
    if not is_expression(concurrency) and not (whole and 1 <= concurrency <= MOST_AT_ONCE):
        yield Fault(f"{path}.MaxConcurrency", f"must be a whole number from 1 to {MOST_AT_ONCE}; it is {concurrency!r}")
    if "Selector" in arguments:
        yield from _selector(arguments["Selector"], f"{path}.Selector")
    for inner in known.every_step:
        if inner.parent is step:
            if inner.type in NOT_IN_A_BODY:
                yield Fault(f"{inner.path}.Type", f"{inner.type} steps cannot be in the body of a ForEach step")
            yield from (
                Fault(other.path, f"the name {other.name} is that of an iteration of {inner.path}")
                for other in known.every_step
                if re.fullmatch(re.escape(inner.name) + r"-\d+", other.name)
            )


def outside_faults(step: OutlinedStep, waits_for: set[str], known: Outline) -> Iterator[Fault]:
    """The steps in bodies of ForEach steps that a step elsewhere waits for: it can only wait for the ForEach step."""
    for name in sorted(waits_for & known.steps.keys()):
        loop = known.steps[name].parent
        if loop is not None and loop.type == "ForEach" and step.parent is not loop:
            yield Fault(
                step.path,
                f"{name} is in the body of {loop.name}: wait for {loop.name}, and use "
                f"Steps.{loop.name}.IterationOutputs[INDEX].{name}",
            )


def _items(items: Any, path: str) -> Iterator[Fault]:
    if items is None or is_expression(items):
        return
    if not isinstance(items, list):
        yield Fault(path, "must be a list, or an expression for a JSON list")
        return
    if len(items) > MOST_LITERAL_ITEMS:
        yield Fault(path, f"at most {MOST_LITERAL_ITEMS} items can be listed; there are {len(items)}")
    for index, item in enumerate(items):
        if not is_expression(item) and not isinstance(item, str | int | float):
            yield Fault(f"{path}[{index}]", "must be a text, a number, true or false, or an expression")


def _selector(selector: Any, path: str) -> Iterator[Fault]:
    fields = selector if isinstance(selector, dict) else {}
    if fields.get("Pick") not in PICKS:
        yield Fault(f"{path}.Pick", f"must be {' or '.join(PICKS)}; it is {fields.get('Pick')!r}")
    field = fields.get("Field")
    reference = str(field.get("Get")) if isinstance(field, dict) else ""
    if not re.fullmatch(r"IterationOutput\.[^.\[\]]+.+", reference):
        yield Fault(f"{path}.Field", 'must be {"Get": "IterationOutput.STEP.PATH"}')
