"""Read the files of a data set, and judge each row for itself: its types, and the rules that need no other row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from steps import batches
from steps.data_set import Part
from steps.data_settings import PreparationSettings
from steps.derived import with_derived
from steps.expectations import check
from steps.judged import Judged, joined
from steps.kept_parts import KeptParts, Types
from steps.raw_data import check_names, converted_columns, read_part, refuse_contradiction
from steps.validation_settings import Expectation


@dataclass(frozen=True)
class SingleRows:
    """What the rows of a data set are judged by; `rules` are expectations of single rows, in the order of the results.

    kept: what is known of files from earlier jobs; None where nothing is kept.
    """

    settings: PreparationSettings
    rules: Sequence[Expectation]
    kept: KeptParts | None = None

    def of(self, parts: Sequence[Part], digests: Sequence[str]) -> Iterator[Judged]:
        """All rows, batch by batch. JobError where a file cannot be read, or has other columns than the settings."""
        for group in self._groups(parts, digests):
            new = [each for each in group if each.known is None]
            if self.kept is None:
                yield from self._judged(new)
                continue
            found = joined(list(self._judged(new))) if new else None
            pieces = [each.known or self._kept(each, found) for each in group]
            yield from joined(pieces).in_batches()

    def _groups(self, parts: Sequence[Part], digests: Sequence[str]) -> Iterator[list[_Read]]:
        """The files one after another, those of the same columns and types together: each group is judged at once."""
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
            return _Read(part, digest, found[0], pd.DataFrame(), {}, found[1])
        table, broken = read_part(part, self.settings.data.format)
        check_names([str(name) for name in table.columns], self.settings.data.columns, part.name)
        return _Read(part, digest, [[str(name), str(type_)] for name, type_ in table.dtypes.items()], table, broken)

    def _judged(self, group: Sequence[_Read]) -> Iterator[Judged]:
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
            unexpected = [outcome.unexpected for outcome in check(wide, self.rules, "rows")]
            yield Judged(batch.files, wide, unexpected, batch.broken, batch.unreadable)

    def _kept(self, read: _Read, found: Judged | None) -> Judged:
        assert self.kept is not None and found is not None  # noqa: S101, PT018 - asked before
        own = found.of_file(read.part.name, self.settings.data.columns)
        self.kept.keep(read.digest, read.types, own)
        return own


@dataclass(frozen=True)
class _Read:
    """One file: its rows as they are written, and why a row is broken; or what is known of them."""

    part: Part
    digest: str
    types: Types
    table: pd.DataFrame
    broken: dict[int, str]
    known: Judged | None = None

    @property
    def rows(self) -> int:
        return len(self.table if self.known is None else self.known.table)
