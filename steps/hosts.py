"""The hosts of a job, and what each of them tells the others: sums, numbers and documents.

XGBoost's own collective carries all of it, see steps/joined_hosts.py; one host alone asks nobody.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from steps.failure import JobError

# Where SageMaker says which hosts a job has: a training job's file, and a processing job's.
TRAINING, PROCESSING = Path("/opt/ml/input/config/resourceconfig.json"), Path("/opt/ml/config/resourceconfig.json")
Numbers = TypeVar("Numbers", float, np.ndarray)


@dataclass(frozen=True)
class Hosts:
    """names: all hosts of the job, sorted; the first of them keeps what they make together. current: this one.

    Each method is called by all hosts, in the same order; with one host it gives back what it is given.
    """

    names: tuple[str, ...] = ("algo-1",)
    current: str = "algo-1"

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.names)

    @property
    def number(self) -> int:
        """The place of this one, from 0."""
        return self.names.index(self.current)

    @property
    def is_first(self) -> bool:
        """Whether this is the host that writes the model and prints the metrics."""
        return self.number == 0

    @property
    def is_last(self) -> bool:
        """Whether this is the last one; one host alone is the first and the last."""
        return self.number == self.count - 1

    @property
    def but_last(self) -> range:
        """The numbers of all but the last of several hosts, which has something else to do."""
        return range(max(1, self.count - 1))

    @property
    def but_first(self) -> range:
        """The numbers of all but the first of several hosts, which has something else to do."""
        return range(min(1, self.count - 1), self.count)

    def share(self, things: int, sharing: Sequence[int]) -> range:
        """This host's share of so many things, by their places; `sharing` are the numbers of the hosts that get any."""
        if self.number not in sharing:
            return range(0)
        place, count = sharing.index(self.number), len(sharing)
        return range(things * place // count, things * (place + 1) // count)

    def total(self, values: Numbers) -> Numbers:
        """The sum over the hosts of numbers, or of arrays of one shape; every host gets the same bits."""
        if self.count == 1:
            return values
        from xgboost import collective

        array = np.asarray(values, dtype=float)
        found = collective.allreduce(array, collective.Op.SUM).reshape(array.shape)
        return found if isinstance(values, np.ndarray) else float(found)

    def gathered(self, values: np.ndarray) -> np.ndarray:
        """The numbers (rows,) of the first host, then those of the second, and so on, to the last bit."""
        if self.count == 1:
            return values
        from xgboost import collective

        sizes = np.zeros(self.count)
        sizes[self.number] = len(values)
        ends = np.cumsum(self.total(sizes)).astype(int)
        bits = np.zeros(ends[-1], dtype=np.int64)
        bits[ends[self.number] - len(values) : ends[self.number]] = np.asarray(values, dtype=float).view(np.int64)
        return collective.allreduce(bits, collective.Op.SUM).view(float)

    def told(self, document: Any) -> list[Any]:
        """What each host tells the others, in their order: JSON."""
        if self.count == 1:
            return [document]
        from xgboost import collective

        text = json.dumps(document)
        return [json.loads(collective.broadcast(text, number)) for number in range(self.count)]

    def shared(self, thing: Any) -> Any:
        """What the first host has, on every host; anything that pickle takes, as only the hosts of one job talk."""
        if self.count == 1:
            return thing
        from xgboost import collective

        return collective.broadcast(thing, 0)


ALONE = Hosts()


def hosts_of(path: Path) -> Hosts:
    """The hosts that a resourceconfig.json names; one where there is no such file. Raises JobError."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return Hosts(tuple(sorted(document["hosts"], key=_numbered)), document["current_host"])
    except FileNotFoundError:
        return ALONE
    except (ValueError, KeyError, TypeError) as error:
        raise JobError(f"{path} does not say which hosts this job has: {error!r}.") from error


def refuse_several(path: Path = PROCESSING) -> None:
    """Raise JobError on each of several hosts: they would all do the same work and write the same files."""
    count = hosts_of(path).count
    if count > 1:
        raise JobError(
            f"This step runs on one host, and its job has {count}, which would all do the same work: set InstanceCount "
            "to 1 in the definition of the pipeline."
        )


def _numbered(name: str) -> tuple[str, int, str]:
    """algo-2 before algo-10."""
    head, _, number = name.rpartition("-")
    return (head, int(number) if number.isdigit() else 0, name)
