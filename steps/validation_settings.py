"""What is expected of the data: the section validation of the YAML file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from steps.failure import listed
from steps.known_expectations import check_expectation, check_level
from steps.learned_settings import STRICT

UNIQUE = ("expect_column_values_to_be_unique", "expect_compound_columns_to_be_unique")


@dataclass(frozen=True)
class Expectation:
    """One expectation by its name and arguments in Great Expectations, and the reason for people.

    keep: of rows that should be unique and are not, all are rejected (none), or all but the first or the last of
        them that fails no other expectation.
    """

    __pydantic_config__ = STRICT

    expectation: str
    arguments: dict[str, Any] = field(default_factory=dict)
    reason: str = ""
    keep: Literal["none", "first", "last"] = "none"

    def __post_init__(self) -> None:
        check_expectation(self.expectation, self.arguments)
        if self.keep not in ("none", "first", "last"):
            raise ValueError(f"keep is {self.keep!r}: it must be none, first or last.")
        if self.keep != "none" and self.expectation not in UNIQUE:
            raise ValueError(f"{self.expectation} has no keep: only {listed(UNIQUE)} have.")

    @property
    def columns(self) -> list[str]:
        """The columns that it names."""
        single = [self.arguments.get(key) for key in ("column", "column_A", "column_B")]
        found = [*single, *(self.arguments.get("column_list") or ())]
        return [str(name) for name in found if name is not None]

    @property
    def unique_columns(self) -> list[str]:
        """The columns whose values together should be unique, of an expectation in UNIQUE."""
        found = self.arguments.get("column_list") or [self.arguments.get("column")]
        return [str(name) for name in found if name is not None]


@dataclass(frozen=True, kw_only=True)
class ValidationSettings:
    """What is expected of the data.

    rows: a row that fails one of these is rejected, with its reason; they come after those that follow
        from the columns (present, in range, among the levels).
    table: if one of these fails, judged on the accepted rows, the job fails.
    derived: values that only the expectations use, as expressions over the columns.
    max_rejected_share: the job fails when a larger share of the rows is rejected.
    """

    __pydantic_config__ = STRICT

    rows: tuple[Expectation, ...] = ()
    table: tuple[Expectation, ...] = ()
    derived: dict[str, str] = field(default_factory=dict)
    max_rejected_share: float = 0.05

    def __post_init__(self) -> None:
        for expectation in self.rows:
            check_level(expectation.expectation, "rows")
        if not 0 <= self.max_rejected_share < 1:
            raise ValueError(f"validation.max_rejected_share is {self.max_rejected_share}: it must be in [0, 1).")
