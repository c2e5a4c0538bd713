"""How rows are divided: the section split of the YAML file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from steps.learned_settings import STRICT


@dataclass(frozen=True, kw_only=True)
class SplitSettings:
    """How rows are divided: by a hash of their keys, or by time (the newest rows are the test part).

    test, validation: shares of all rows. seed: another number gives another hash split.
    """

    __pydantic_config__ = STRICT

    by: Literal["hash", "time"] = "hash"
    test: float = 0.2
    validation: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("test", "validation"):
            if not 0 < getattr(self, name) < 1:
                raise ValueError(f"split.{name} is {getattr(self, name)}: it must be between 0 and 1.")
        if self.test + self.validation >= 1:
            total = self.test + self.validation
            raise ValueError(f"split.test and split.validation sum to {total:g}: no rows are left for training.")
