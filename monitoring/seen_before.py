"""Which ids were there before, in eight bytes each, however many there are."""

from __future__ import annotations

import hashlib

import numpy as np

RECENT = 65_536  # ids that are held as Python's own numbers, which take ten times the memory


def code_of(identity: str) -> int:
    """64 bits of a hash of an id: of ten million ids, two fall together once in 370,000 times."""
    return int.from_bytes(hashlib.blake2b(identity.encode(), digest_size=8).digest(), "little")


class SeenBefore:
    """A set of ids, as the code of each."""

    def __init__(self) -> None:
        self._sorted: np.ndarray = np.empty(0, dtype=np.uint64)
        self._recent: set[int] = set()

    def has(self, identity: str) -> bool:
        """Whether the id was asked for before; from now on it was."""
        code = code_of(identity)
        if code in self._recent or self._is_sorted_in(code):
            return True
        self._recent.add(code)
        if len(self._recent) >= RECENT:
            recent = np.fromiter(self._recent, dtype=np.uint64, count=len(self._recent))
            self._sorted = np.sort(np.concatenate([self._sorted, recent]))
            self._recent.clear()
        return False

    def _is_sorted_in(self, code: int) -> bool:
        place = int(self._sorted.searchsorted(np.uint64(code)))
        return place < len(self._sorted) and int(self._sorted[place]) == code
