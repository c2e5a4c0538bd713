"""On how many hosts a step can run: what a definition's defaults, or the parameters of a start, ask for in vain."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pipelines.checks.fault import Fault
from pipelines.errors import PipelineError
from pipelines.settings.settings import Settings
from steps.part_sizes import parts_of_rows

PROCESSING, TRAINING, DATA = "ProcessingInstanceCount", "TrainingInstanceCount", "InputDataUri"
PLACES = {PROCESSING: "jobs.processing.instance_count", TRAINING: "jobs.training.instance_count"}


def host_faults(raw: Mapping[str, Any], settings: Settings) -> Iterator[Fault]:
    """The faults of a definition's own defaults."""
    declared = [entry for entry in raw.get("Parameters") or () if isinstance(entry, Mapping)]
    for place, entry in enumerate(declared):
        why = _refused(entry.get("Name"), entry.get("DefaultValue"), settings, known=settings.query is None)
        if why is not None:
            yield Fault(None, f"Parameters[{place}].DefaultValue", *why)


def check_hosts(
    declared: Iterable[Mapping[str, Any]], given: Mapping[str, str], settings: Settings, own_data: bool = False
) -> None:
    """Raise PipelineError where an execution would start more hosts than can work.

    `given` are values of the right type. With `own_data`, another InputDataUri or a query, it is not the YAML's data
    set, and nobody knows yet how many rows there are.
    """
    known = not own_data and DATA not in given and settings.query is None
    for entry in declared:
        name = entry["Name"]
        if name not in PLACES:
            continue
        why = _refused(name, int(given.get(name, entry.get("DefaultValue", 1))), settings, known)
        if why is not None:
            raise PipelineError(f"{name}: {why[0]}: {why[1]}.")


def _refused(name: Any, count: Any, settings: Settings, known: bool = True) -> tuple[str, str] | None:
    """What is wrong with so many hosts, and what to do; None where they can work."""
    if name not in (PROCESSING, TRAINING) or not isinstance(count, int) or count == 1:
        return None
    place = PLACES[name]
    if count < 1:
        return f"{count} hosts are asked for, and a job has one at least", f"set it to 1 or more ({place} in the YAML)"
    if name == TRAINING:
        for library in settings.candidates.libraries:
            message = f"the candidate {library} trains on one host, and {count} are asked for"
            return message, f"set it to 1 ({place} in the YAML), or leave the candidate out"
    if not settings.data.rows or not known:
        return None
    parts = parts_of_rows(round(settings.data.rows * (1 - settings.split.validation - settings.split.test)))
    most = parts if name == TRAINING else parts + 1  # one host of Preprocess checks, and has none
    if count <= most:
        return None
    message = f"{count} hosts are more than the {most} among which {settings.data.rows:,} rows can be divided"
    return message, f"set it to {most} or less ({place} in the YAML)"
