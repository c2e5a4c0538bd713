"""What is known of a data set while it is validated: its rows, which of them are rejected, and why."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from steps.expectations import Outcome
from steps.failure import listed
from steps.row_store import RowStore
from steps.validation_settings import Expectation

MOST_FILES = 3  # that a sentence names


@dataclass
class Validation:
    """All that is known about the data so far; `failure` is the sentence that the job fails with.

    `file` is the name of the only file, or says how many there are; `files` has the rows of each by its name.
    rows: the typed rows and what is derived of them; `names` are the columns of the data.
    rejected: marks the rows; it is there when all are read. reasons: why a row is rejected, by its place.
    unreadable: column -> marks the rows whose value is not of the column's type. hints: column -> what to change.
    """

    file: str = ""
    sha256: str = ""
    files: dict[str, int] = field(default_factory=dict)
    rows: RowStore = field(default_factory=RowStore)
    names: list[str] = field(default_factory=list)
    rejected: np.ndarray = field(default_factory=lambda: np.array([], dtype=bool))
    reasons: dict[int, str] = field(default_factory=dict)
    outcomes: list[Outcome] = field(default_factory=list)
    unreadable: dict[str, np.ndarray] = field(default_factory=dict)
    hints: dict[str, str] = field(default_factory=dict)
    failure: str | None = None
    _told: list[dict[int, str] | None] = field(default_factory=list)  # the reasons of an outcome, if they are its own

    @property
    def table(self) -> pd.DataFrame:
        """The typed rows, all in memory at once."""
        return self.rows.columns(self.names) if len(self.rows) else pd.DataFrame()

    @cached_property
    def _ends(self) -> np.ndarray:
        return np.cumsum(list(self.files.values()))

    @property
    def in_many_files(self) -> bool:
        """Whether there are several files: their rows have no order then but that of their values."""
        return len(self.files) > 1

    def places(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The names of the files of rows, and their places there, from 1; rows are given by their places from 0."""
        files = np.searchsorted(self._ends, rows, side="right")
        starts = np.r_[0, self._ends[:-1]]
        return np.array(list(self.files))[files], rows - starts[files] + 1

    def place(self, row: int) -> str:
        """Where a row is, as people say it."""
        names, rows = self.places(np.array([row]))
        return f"row {rows[0]:,} of {names[0]}" if self.in_many_files else f"row {rows[0]:,}"

    def files_of(self, rows: np.ndarray) -> str:
        """In which of several files rows are, as the end of a sentence; an empty text where there is one file."""
        if not self.in_many_files or not len(rows):
            return ""
        found = Counter(self.places(rows)[0].tolist()).most_common()
        if len(found) <= MOST_FILES:
            return f", in {listed(name for name, _ in found)}"
        return f", in {len(found):,} of {len(self.files):,} files, most of them in {found[0][0]}"

    @property
    def advice(self) -> str:
        """What to change so that most of the values that cannot be read can be, as a part of a sentence."""
        if not self.unreadable:
            return ""
        worst = max(self.unreadable, key=lambda name: int(self.unreadable[name].sum()))
        return f": {self.hints[worst]}"

    def reject(self, outcome: Outcome, reasons: dict[int, str] | None = None) -> None:
        """Reject the rows of an outcome: for reasons by place, or for its own reason, see `give_reasons`."""
        self.outcomes.append(outcome)
        self._told.append(reasons)
        self.rejected[outcome.unexpected] = True

    def give_reasons(self) -> None:
        """Write down why each row is rejected: all its reasons, in the order of the outcomes."""
        pairs = [pair for pair in zip(self.outcomes, self._told, strict=True) if len(pair[0].unexpected)]
        columns = {outcome.expectation.arguments.get("column") for outcome, told in pairs if not told}
        names = [name for name in self.rows.names if name in columns] or self.rows.names[:1]
        for places, table in self.rows.batches(names, self.rejected) if pairs else ():
            for outcome, told in pairs:
                rows = np.flatnonzero(np.isin(places, outcome.unexpected))
                for row, place in zip(rows.tolist(), places[rows].tolist(), strict=True):
                    reason = told[place] if told else _reason_with_value(outcome, table, row)
                    before = self.reasons.get(place)
                    self.reasons[place] = f"{before}; {reason}" if before else reason

    def summary(self) -> dict[str, Any]:
        """The content of validation.json."""
        rows, rejected = len(self.rejected), int(self.rejected.sum())
        return {
            "status": "failed" if self.failure else "passed",
            "reason": self.failure,
            "file": self.file,
            "sha256": self.sha256,  # what the URI of the data held at the time
            "files": self.files,
            "rejected_by_file": self._rejected_by_file(),
            "rows": {
                "read": rows,
                "accepted": rows - rejected,
                "rejected": rejected,
                "rejected_share": rejected / rows if rows else 0.0,
            },
            "expectations": [_outcome_summary(outcome) for outcome in self.outcomes],
        }

    def _rejected_by_file(self) -> dict[str, int]:
        """The files that have rejected rows, those with most of them first."""
        return dict(Counter(self.places(np.flatnonzero(self.rejected))[0].tolist()).most_common())


def _outcome_summary(outcome: Outcome) -> dict[str, Any]:
    return {
        "level": outcome.level,
        "expectation": outcome.expectation.expectation,
        "arguments": outcome.expectation.arguments,
        "reason": reason_of(outcome.expectation),
        "success": outcome.success,
        "unexpected_rows": len(outcome.unexpected),
        "observed": outcome.observed or None,
    }


def _reason_with_value(outcome: Outcome, table: pd.DataFrame, row: int) -> str:
    """An outcome's reason, with the row's value where one column is judged."""
    column = outcome.expectation.arguments.get("column")
    value = table[column].iloc[row] if column else None
    shown = f" (is {_shown(value)})" if column and not pd.isna(value) else ""
    return f"{reason_of(outcome.expectation)}{shown}"


def _shown(value: Any) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def reason_of(expectation: Expectation) -> str:
    """The reason for people; the expectation itself if the settings give none."""
    arguments = ", ".join(f"{name}={value}" for name, value in expectation.arguments.items())
    return expectation.reason or f"{expectation.expectation}({arguments})"
