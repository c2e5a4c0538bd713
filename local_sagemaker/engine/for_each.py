"""ForEach steps: the iterations that one becomes when it starts, and what it is when they have ended.

The shapes are those of sagemaker.mlops.workflow.for_each_step of SDK v3 and of botocore's ForEachStepMetadata.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from local_sagemaker.definition.definition import Step
from local_sagemaker.definition.expressions import ExpressionError, evaluate, walk
from local_sagemaker.engine.schedule import Iteration, Node
from local_sagemaker.engine.scope import ExecutionScope, iteration_name
from local_sagemaker.engine.tasks import Result

FIELD = re.compile(r"IterationOutput\.([^.\[\]]+)(.+)")
PICKS = {"MaxBy": max, "MinBy": min}
FAILED = "ClientError: One or multiple steps of the ForEach body failed: {}."


def iterations(step: Step, scope: ExecutionScope) -> tuple[list[Node], int]:
    """The nodes of a ForEach step and how many run at once; ExpressionError where its arguments have no such value."""
    items = _items(step, scope)
    concurrency = evaluate(step.arguments.get("MaxConcurrency"), scope)
    if not isinstance(concurrency, int) or isinstance(concurrency, bool) or concurrency < 1:
        raise ExpressionError(f"MaxConcurrency must be a whole number of at least 1; it is {concurrency!r}.")
    body = {inner.name for inner in step.body}
    nodes = [
        Node(
            iteration_name(inner.name, index),
            inner,
            {
                iteration_name(name, index): inner.triggers.get(name, "Completed")
                for name in inner.waits_for
                if name in body
            },
            iteration=Iteration(step.name, index, item),
        )
        for index, item in enumerate(items)
        for inner in step.body
    ]
    return nodes, concurrency


def aggregate(step: Step, children: Sequence[Node], results: Mapping[str, Result], stopped: bool) -> Result:
    """The result of a ForEach step whose iterations have ended; a child that never started has no result."""
    ended = [results[node.name].status for node in children if node.name in results]
    counts = {f"{status}StepCount": ended.count(status) for status in ("Succeeded", "Failed", "Stopped")}
    failed = [node.name for node in children if node.name in results and results[node.name].status == "Failed"]
    status = "Failed" if failed else "Stopped" if stopped or "Stopped" in ended else "Succeeded"
    metadata: dict[str, Any] = {
        "Status": status,
        "InputItemCount": len(children) // max(1, len(step.body)),
        "TotalStepCount": len(children),
        **counts,
    }
    outputs: list[dict[str, Any]] = [{} for _ in range(metadata["InputItemCount"])]
    for node in children:
        if node.iteration is not None and node.name in results:
            outputs[node.iteration.index][node.step.name] = results[node.name].properties
    properties = {**metadata, "IterationOutputs": outputs}
    if status == "Succeeded" and "Selector" in step.arguments and outputs:
        try:
            name, index = _selected(step.arguments["Selector"], outputs)
        except ExpressionError as error:
            return Result("Failed", {"ForEach": metadata}, properties, f"ClientError: {error}")
        metadata["Selector"] = {"StepName": name, "Index": index}
        properties["Selected"] = outputs[index][name]
    reason = FAILED.format(", ".join(failed)) if failed else None
    return Result(status, {"ForEach": metadata}, properties, reason)


def _items(step: Step, scope: ExecutionScope) -> list[Any]:
    """IterableItems is a list, or an expression for the text of a JSON list."""
    items = evaluate(step.arguments.get("IterableItems"), scope)
    if isinstance(items, str):
        try:
            items = json.loads(items)
        except ValueError:
            raise ExpressionError(f"IterableItems must be a JSON list; it is {items[:60]!r}.") from None
    if not isinstance(items, list):
        raise ExpressionError(f"IterableItems must be a list; it is {str(items)[:60]!r}.")
    return items


def _selected(selector: dict[str, Any], outputs: Sequence[dict[str, Any]]) -> tuple[str, int]:
    """The body step and the iteration that a Selector picks by a field of that step's output."""
    field = FIELD.fullmatch(str(selector.get("Field", {}).get("Get")))
    if field is None:
        raise ExpressionError(f"Selector.Field must be an IterationOutput; it is {selector.get('Field')!r}.")
    name, path = field.groups()
    pick = PICKS.get(selector.get("Pick", ""))
    if pick is None:
        raise ExpressionError(f"Selector.Pick must be MaxBy or MinBy; it is {selector.get('Pick')!r}.")
    try:
        values = [_number(walk(output[name], path)) for output in outputs]
    except KeyError as missing:
        raise ExpressionError(f"Selector.Field: an iteration of {name} has no {missing} at {path}.") from None
    return name, values.index(pick(values))


def _number(value: Any) -> float:
    """Output parameters are texts, so a number in one counts as a number."""
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ExpressionError(f"Selector.Field must lead to numbers; it leads to {value!r}.") from None
