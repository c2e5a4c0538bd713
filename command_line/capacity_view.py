"""What the steps need for a data set, before anything reads it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from command_line.console import duration
from command_line.context import Context
from pipelines.checks.capacity import Amount, LastRun, StepNeed, needs
from pipelines.publishing.dataset import check_data


def data_needs(context: Context, path: Path, last: Mapping[str, LastRun] | None = None) -> tuple[int, list[StepNeed]]:
    """The rows of a data set, and what every step needs for them, see `needs`.

    Raises PipelineError for what is not a data set.
    """
    from profiling.data_size import size_of

    found = size_of(check_data(path))
    amount = Amount(found.rows, found.size / 1e9, found.text / 1e9, found.binary / 1e9)
    return found.rows, needs(amount, context.settings, last)


def need_lines(rows: int, found: Sequence[StepNeed]) -> list[str]:
    """A line for each step."""
    return [f"for {rows:,} rows, by what was measured on 2 cores (docs/scale.md):", *map(_line, found)]


def _line(need: StepNeed) -> str:
    has = f"of {need.memory_limit:.1f}" if need.memory_limit is not None else "(unknown how much there is)"
    misses = [
        name
        for name, wanted, limit in (
            ("memory", need.memory, need.memory_limit),
            ("disk", need.disk, need.disk_limit),
            ("time", need.seconds, need.seconds_limit),
        )
        if limit is not None and wanted > limit
    ]
    last = need.last
    told = f", as it took {duration(last.seconds)} for {last.rows:,} rows in {last.execution}" if last else ""
    fits = f"; too little {' and '.join(misses)}" if misses else ""
    return (
        f"{need.step}: {need.memory:.1f} GB of memory {has}, {need.disk:.1f} GB of disk of {need.disk_limit:g}, "
        f"about {duration(need.seconds)}{told} ({need.instance_type}){fits}"
    )
