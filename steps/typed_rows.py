"""Read the files of a data set: the rows with the types of the settings, and with what expectations derive of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from steps import batches
from steps.data_set import Part
from steps.data_settings import PreparationSettings
from steps.derived import with_derived
from steps.judged import Judged, joined
from steps.kept_parts import KeptParts, Types
from steps.raw_data import check_names, converted_columns, read_part, refuse_contradiction


@dataclass
class TypedRows:
    """Reads the rows of a data set; of a file that `kept` has from an earlier job, what was judged of it.

    rules: how many expectations of single rows there are. types: those of each file that was read, by its name.
    """

    settings: PreparationSettings
    rules: int
    kept: KeptParts | None = None
    types: dict[str, Types] = field(default_factory=dict)

    def of(self, parts: Sequence[Part], digests: Sequence[str]) -> Iterator[Judged]:
        """All rows, batch by batch; those that were read fail no expectation yet.

        JobError where a file cannot be read, or has other columns than the settings.
        """
        for group in self._groups(parts, digests):
            new = [each for each in group if each.known is None]
            if len(new) == len(group):
                yield from self._typed(new)
            else:
                read = self._by_file(new) if new else {}
                yield from joined([each.known or read[each.part.name] for each in group]).in_batches()

    def _by_file(self, group: Sequence[_Read]) -> dict[str, Judged]:
        read = joined(list(self._typed(group)))
        return {each.part.name: read.of_file(each.part.name, self.settings.data.columns) for each in group}

    def _groups(self, parts: Sequence[Part], digests: Sequence[str]) -> Iterator[list[_Read]]:
        """The files one after another, those of the same columns and types together."""
        group = list[_Read]()
        rows = 0
        for part, digest in zip(parts, digests, strict=True):
            read = self._read(part, digest)
            if group and (rows + read.rows > 2 * batches.ROWS or read.types != group[0].types):
                yield group
                group, rows = [], 0
            group.append(read)
            rows += read.rows
        yield group

    def _read(self, part: Part, digest: str) -> _Read:
        found = self.kept.find(part.name, digest) if self.kept else None
        if found is not None:
            return _Read(part, found[0], pd.DataFrame(), {}, found[1])
        table, broken = read_part(part, self.settings.data.format)
        check_names([str(name) for name in table.columns], self.settings.data.columns, part.name)
        self.types[part.name] = [[str(name), str(type_)] for name, type_ in table.dtypes.items()]
        return _Read(part, self.types[part.name], table, broken)

    def _typed(self, group: Sequence[_Read]) -> Iterator[Judged]:
        raw = pd.concat([each.table for each in group], ignore_index=True) if len(group) > 1 else group[0].table
        typed, unreadable = converted_columns(raw, self.settings.data.columns, group[0].part.name)
        files, broken, first = dict[str, int](), dict[int, str](), 0
        for each in group:
            refuse_contradiction(each.part, typed.iloc[first : first + each.rows], self.settings.data.columns)
            files[each.part.name] = each.rows
            broken |= {first + row: reason for row, reason in each.broken.items()}
            first += each.rows
        cells = {
            name: {int(row): str(raw[name].iloc[row]) for row in np.flatnonzero(bad)}
            for name, bad in unreadable.items()
        }
        for batch in Judged(files, typed, [], broken, cells).in_batches():
            wide = with_derived(batch.table, self.settings.validation.derived, self.settings.data.types)
            none_yet = [np.array([], dtype=int)] * self.rules
            yield Judged(batch.files, wide, none_yet, batch.broken, batch.unreadable)


@dataclass(frozen=True)
class _Read:
    """One file: its rows as they are written, and why a row is broken; or what is known of them."""

    part: Part
    types: Types
    table: pd.DataFrame
    broken: dict[int, str]
    known: Judged | None = None

    @property
    def rows(self) -> int:
        return len(self.table if self.known is None else self.known.table)
