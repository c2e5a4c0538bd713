"""A plan as people read it: lines for a terminal or a log, and Markdown for a pull request comment."""

import json
from collections.abc import Iterator
from typing import Any

from command_line.capacity_view import need_lines
from command_line.console import Console, duration
from pipelines.document.cache_forecast import ALWAYS_RUNS, REUSED, RUNS_AGAIN
from pipelines.document.differences import Change, masked
from pipelines.publishing.cost_forecast import Cost
from pipelines.publishing.plan import Plan, StepChange

SIGNS = {"added": "+", "removed": "-", "changed": "~"}
COLOURS = {"+": "green", "-": "red", "~": "yellow"}
LONGEST_VALUE = 160


def show_plan(console: Console, plan: Plan, *, markdown: bool = False) -> None:
    """Print it as a document (--json), as Markdown, or as coloured lines."""
    if console.json_output:
        console.document(plan.document())
    elif markdown:
        console.line("\n".join(markdown_lines(plan)))
    else:
        for line in plan_lines(plan):
            console.line(line, style=COLOURS.get(line.strip()[:1]) or (None if line[:1] == " " else "bold"))


def plan_lines(plan: Plan) -> Iterator[str]:
    """The plan line by line; +, - and ~ stand for added, removed and changed."""
    yield headline(plan)
    if plan.by_hand:
        yield f"What is deployed is {plan.by_hand}."
    yield from _section("Pipeline", [_change(change) for change in plan.pipeline])
    yield from _section("Parameters", [_change(change) for change in plan.parameters])
    yield from _section("Steps", [line for step in plan.steps for line in _step(step)])
    yield from _section("Settings of the jobs", [_change(change) for change in plan.code.settings])
    yield from _section("Code", _code(plan))
    if plan.has_changes:
        yield from _section("Next execution, with the parameters at their defaults", _cache(plan))
    yield from _section("Its cost on AWS", _cost(plan.cost))
    if plan.needs:
        yield from _section("What the steps need", need_lines(plan.rows, plan.needs))
    yield from _section("Cost of the endpoints on AWS for a month", list(endpoint_lines(plan.cost)))


def markdown_lines(plan: Plan) -> Iterator[str]:
    """The plan for a pull request: what counts first, every change folded away."""
    yield f"### {headline(plan)}"
    if plan.needs:
        first, *lines = need_lines(plan.rows, plan.needs)
        yield f"\nWhat the steps need {first}\n"
        yield from (f"- {line}" for line in lines)
    if not plan.has_changes:
        return
    yield ""
    yield "| step | next execution | why |"
    yield "| --- | --- | --- |"
    for entry in plan.forecasts:
        outcome = f"**{entry.outcome}**" if entry.outcome == RUNS_AGAIN else entry.outcome
        yield f"| {entry.step} | {outcome} | {'; '.join(entry.reasons).replace('|', chr(92) + '|')} |"
    yield ""
    if plan.by_hand:
        yield f"What is deployed is {plan.by_hand}."
        yield ""
    yield f"Cost of the next execution on AWS: {_total(plan.cost)}."
    yield ""
    yield "<details><summary>All changes</summary>"
    yield ""
    # A fence longer than any that a value could contain: values cannot end it.
    yield "`````diff"
    for line in list(plan_lines(plan))[1:]:
        sign = line.strip()[:1]
        mark = {"~": "!"}.get(sign, sign) if sign in COLOURS else " "
        yield f"{mark} {line}".rstrip().replace("`````", "''''' ")
    yield "`````"
    yield "</details>"


def headline(plan: Plan) -> str:
    """One sentence: how much an upsert would change."""
    if not plan.has_changes:
        return f"{plan.name}: nothing would change."
    if not plan.deployed:
        return f"{plan.name} is not deployed: an upsert would create it with {len(plan.steps)} steps."
    if plan.rewritten and not plan.code.differs and all(c.path.startswith("Tags[") for c in plan.pipeline):
        return f"{plan.name}: an upsert would write the definition differently, with the same meaning."
    if plan.steps and _only_tags(plan):
        return f"{plan.name}: only tags would change."
    counts = {
        action: sum(step.action == action and not step.only_tags for step in plan.steps)
        for action in ("added", "changed", "removed")
    }
    again = sum(entry.outcome == RUNS_AGAIN for entry in plan.forecasts)
    steps = ", ".join(f"{count} {action}" for action, count in counts.items())
    parameters = f"; parameters: {len(plan.parameters)} different" if plan.parameters else ""
    return f"{plan.name}: steps: {steps}{parameters}; {again} would miss the cache and run again."


def _only_tags(plan: Plan) -> bool:
    own = all(change.path.startswith("Tags[") for change in plan.pipeline)
    return own and not plan.parameters and not plan.code.differs and all(step.only_tags for step in plan.steps)


def _section(title: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield ""
        yield title
        yield from (f"  {line}" for line in lines)


def _step(step: StepChange) -> Iterator[str]:
    yield f"{SIGNS[step.action]} {step.name} ({step.type}){', only tags' if step.only_tags else ''}"
    if step.action == "changed":
        yield from (f"  {_change(change)}" for change in step.changes)


def _change(change: Change) -> str:
    sign = SIGNS[change.action]
    if change.action == "changed":
        return f"{sign} {change.path}: {_shown(change.old)} -> {_shown(change.new)}"
    return f"{sign} {change.path}: {_shown(change.new if change.old is None else change.old)}"


def _shown(value: Any) -> str:
    value = masked(value)
    if isinstance(value, dict) and "DefaultValue" in value:
        value = value["DefaultValue"]
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}..."


def _code(plan: Plan) -> list[str]:
    code = plan.code
    lines = [f"+ {path}" for path in code.added]
    lines += [f"- {path}" for path in code.removed]
    lines += [f"~ {path}" for path in code.changed]
    if code.problem:
        lines.append(f"not compared: {code.problem}")
    elif code.differs and not lines:
        lines.append("the same files as what is deployed")
    return [*lines, *(f"+ {uri}, which the upsert uploads" for uri in code.uploads)]


def _cost(cost: Cost) -> list[str]:
    lines = []
    for step in cost.steps:
        if not step.runs:
            lines.append(f"{step.step}: nothing, it comes from the cache")
            continue
        price = f"{step.price:g} {cost.currency} an hour" if step.price is not None else "price unknown"
        took = f"{duration(step.seconds)} in {step.measured_in}" if step.seconds is not None else "duration unknown"
        whole = f"{step.cost:.4f} {cost.currency}" if step.cost is not None else "unknown"
        lines.append(f"{step.step}: {whole} ({step.instance_count} x {step.instance_type}, {price}, {took})")
    return [*lines, f"in all: {_total(cost)}"] if lines else []


def endpoint_lines(cost: Cost) -> Iterator[str]:
    """What a month of each endpoint costs, and one stay of those that remove themselves."""
    for each in cost.endpoints:
        whole = f"about {each.monthly:.0f} {cost.currency}" if each.monthly is not None else "unknown"
        price = f"{each.price:g} {cost.currency} an hour" if each.price is not None else "price unknown"
        leaves = ""
        if each.removed_after is not None:
            once = f", about {each.until_removed:.2f} {cost.currency} each time" if each.until_removed else ""
            leaves = f"; it removes itself {each.removed_after} after its last deployment{once}"
        yield f"{each.stage}: {whole} ({each.instance_count} x {each.instance_type}, {price}){leaves}"


def _total(cost: Cost) -> str:
    """The sum and what it rests on: durations are those of the last runs, on AWS or on this machine."""
    basis = f"on-demand prices of {cost.region}, {cost.date}; durations as measured in the executions named"
    if cost.total is None:
        missing = [step.step for step in cost.steps if step.cost is None]
        return f"unknown, for {', '.join(missing)} ({basis})"
    return f"about {cost.total:.4f} {cost.currency} ({basis})"


def _cache(plan: Plan) -> list[str]:
    lines = [
        f"~ {entry.step} misses the cache and runs again: {'; '.join(entry.reasons)}"
        for entry in plan.forecasts
        if entry.outcome == RUNS_AGAIN
    ]
    reused = [entry.step for entry in plan.forecasts if entry.outcome == REUSED]
    always = [entry.step for entry in plan.forecasts if entry.outcome == ALWAYS_RUNS]
    if reused:
        lines.append(f"from the cache, if an earlier success has not expired: {', '.join(reused)}")
    if always:
        lines.append(f"in every execution: {', '.join(always)}")
    return lines
