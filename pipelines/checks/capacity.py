"""What the steps need for a data set: memory, disk and time, against what their instances have."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

from pipelines.checks.fault import Fault
from pipelines.checks.instance_memory import memory_gib
from pipelines.document.walk import service_model
from pipelines.settings.settings import InstanceSettings, Settings

SIZES = Path(__file__).with_name("step_sizes.yaml")
USABLE = 0.9  # of an instance's memory: the system has the rest
GIB = 1.073741824  # GB
READS_FILES = "ValidateData"
TELLS = 10  # times as many rows: a run on fewer says how fast the machine begins, not how fast it works
CHOICES = {"processing": "ProcessingInstanceType", "training": "TrainingInstanceType"}


@dataclass(frozen=True)
class Amount:
    """A data set by its rows; size: GB on disk; text, binary: GB of its largest CSV and Parquet file, unpacked."""

    rows: int
    size: float = 0.0
    text: float = 0.0
    binary: float = 0.0


@dataclass(frozen=True)
class LastRun:
    """How long a step worked when it last succeeded, on how many rows, and in which execution."""

    execution: str
    rows: int
    seconds: float


@dataclass(frozen=True)
class StepNeed:
    """What one step is expected to need, in GB and seconds, and what it has; None is unknown.

    last: the run that the time follows from, if one tells anything of so many rows.
    """

    step: str
    jobs: Literal["processing", "training"]
    instance_type: str
    memory: float
    memory_limit: float | None
    disk: float
    disk_limit: float
    seconds: float
    seconds_limit: float
    last: LastRun | None = None

    def document(self) -> dict[str, Any]:
        """The need as data for --json."""
        return asdict(self)


@cache
def _sizes() -> dict[str, Any]:
    table: dict[str, Any] = yaml.safe_load(SIZES.read_text(encoding="utf-8"))
    return table


def needs(amount: Amount, settings: Settings, last: Mapping[str, LastRun] | None = None) -> list[StepNeed]:
    """What every step is expected to need, in their order; extrapolated from what was measured, see SIZES.

    The times go on from those of the `last` runs, by step, whose rows were not more than TELLS times fewer.
    """
    told = {step: run for step, run in (last or {}).items() if run.rows * TELLS >= amount.rows}
    return [_need(step, entry, amount, settings, told.get(step)) for step, entry in _sizes()["steps"].items()]


def _need(
    step: str, entry: Mapping[str, list[float]], amount: Amount, settings: Settings, last: LastRun | None
) -> StepNeed:
    of_a_row = len(settings.data.columns) / _sizes()["columns"] / 1e6
    millions = amount.rows * of_a_row
    jobs: Literal["processing", "training"] = "training" if step == "Train" else "processing"
    machine: InstanceSettings = getattr(settings.jobs, jobs)
    # Hosts that train share the rows, but are not faster by their number; each host of Preprocess has all of them.
    on_each = millions / machine.instance_count if jobs == "training" else millions
    total = {name: base + slope * (millions if name == "seconds" else on_each) for name, (base, slope) in entry.items()}
    if last is not None:
        base, slope = entry["seconds"]
        total["seconds"] *= last.seconds / (base + slope * last.rows * of_a_row)
    disk = total["disk_gb"]
    if step == READS_FILES:
        table = _sizes()
        total["memory_gb"] += table["text"] * amount.text + table["binary"] * amount.binary
        disk += amount.size
    memory = memory_gib(machine.instance_type)
    return StepNeed(
        step=step,
        jobs=jobs,
        instance_type=machine.instance_type,
        memory=total["memory_gb"],
        memory_limit=None if memory is None else memory * GIB * USABLE,
        disk=disk,
        disk_limit=float(machine.volume_gb),
        seconds=total["seconds"],
        seconds_limit=machine.max_minutes * 60.0,
        last=last,
    )


def capacity_faults(found: Sequence[StepNeed], rows: int) -> Iterator[Fault]:
    """What cannot fit into the machines of the YAML."""
    for need in found:
        place = f"jobs.{need.jobs}"
        if need.memory_limit is not None and need.memory > need.memory_limit:
            message = (
                f"{rows:,} rows need about {need.memory:,.1f} GB of memory, and {need.instance_type} has "
                f"{need.memory_limit:,.1f} for a job"
            )
            yield Fault(need.step, f"{place}.instance_type", message, _larger(need))
        if need.disk > need.disk_limit:
            message = f"{rows:,} rows need about {need.disk:,.1f} GB of disk, and volume_gb is {need.disk_limit:g}"
            yield Fault(need.step, f"{place}.volume_gb", message, f"set it to {int(need.disk * 1.2) + 1}")


def _larger(need: StepNeed) -> str:
    """The smallest instance type that fits: of the same family, or else of those with most memory."""
    known = service_model().shape_for(CHOICES[need.jobs]).enum
    family = need.instance_type.rpartition(".")[0]
    for prefix in (family, "ml.r5"):
        fitting = {
            name: memory
            for name in known
            if name.rpartition(".")[0] == prefix
            and (memory := memory_gib(name)) is not None
            and memory * GIB * USABLE >= need.memory
        }
        if fitting:
            name = min(fitting, key=fitting.__getitem__)
            return f"take {name} ({fitting[name]:g} GiB), or fewer rows"
    return "no instance type has as much: give fewer rows"
