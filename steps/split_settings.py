"""How rows are divided: the section split of the YAML file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from steps.learned_settings import STRICT


@dataclass(frozen=True, kw_only=True)
class SplitSettings:
    """How rows are divided: by a hash of their keys, or by time (the newest rows are the test part).

    test, validation, reserve: shares of all rows. seed: another number gives another hash split. The reserve, where
    there is one, is a second test part: only the job that a promotion starts reads it.
    """

    __pydantic_config__ = STRICT

    by: Literal["hash", "time"] = "hash"
    test: float = 0.2
    validation: float = 0.1
    reserve: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("test", "validation"):
            if not 0 < getattr(self, name) < 1:
                raise ValueError(f"split.{name} is {getattr(self, name)}: it must be between 0 and 1.")
        if not 0 <= self.reserve < 1:
            raise ValueError(f"split.reserve is {self.reserve}: it must be between 0 and 1; 0 keeps no rows back.")
        total = self.test + self.validation + self.reserve
        if total >= 1:
            named = "test, split.validation and split.reserve" if self.reserve else "test and split.validation"
            raise ValueError(f"split.{named} sum to {total:g}: no rows are left for training.")
