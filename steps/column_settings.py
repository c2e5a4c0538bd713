"""The columns of a data set, and which of them name a row to a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from steps.learned_settings import STRICT
from steps.text_format import ValueFormat, refuse_foreign, with_tuples

MOST_COMPARABLES = 20
ColumnType = Literal["integer", "number", "boolean", "category", "text", "date"]


@dataclass(frozen=True, kw_only=True)
class Column(ValueFormat):
    """One column of the data file; how its values are written is in ValueFormat.

    type: integer, number, boolean, category (a code or name: one-hot in the linear regression), text
        (never a feature) or date (a feature only through derived features).
    unit, description: for people; the unit of the target is that of MAE and RMSE.
    range: smallest and largest allowed value, null for no limit; rows outside are rejected.
    levels: the only allowed values of a category.
    optional: whether values may be missing; the models learn what that means, see `steps.features.Features.gaps`.
    feature: whether the model sees the column itself.
    width: texts are filled with leading zeros to this width, so that 123 and 0000000123 are one id.
    """

    __pydantic_config__ = STRICT

    type: ColumnType
    unit: str = ""
    description: str = ""
    range: tuple[float | None, float | None] | None = None
    levels: tuple[str, ...] = ()
    optional: bool = False
    feature: bool = True
    width: int = 0

    def __post_init__(self) -> None:
        if self.range is not None and self.type not in ("integer", "number"):
            raise ValueError(f"only an integer or number has a range, not a {self.type}.")
        if self.range is not None and None not in self.range and self.range[0] > self.range[1]:  # type: ignore[operator]
            raise ValueError(f"the range starts above its end: {list(self.range)}.")
        if self.levels and self.type != "category":
            raise ValueError(f"only a category has levels, not a {self.type}.")
        if self.width and self.type not in ("category", "text"):
            raise ValueError(f"only a category or text has a width, not a {self.type}.")
        self.check_format()
        refuse_foreign(self, self.type)
        both = sorted({*self.levels} & {*(self.missing or ())})
        if both:
            raise ValueError(f"{both[0]!r} is one of the levels and missing: it can be one of them only.")

    @property
    def is_feature(self) -> bool:
        """Whether the column goes into the model as it is."""
        return self.feature and self.type not in ("text", "date")


@dataclass(frozen=True, kw_only=True)
class ComparableSettings:
    """The training rows most like a predicted one, which the model carries and tells on request.

    count: how many for each row. show: columns that name such a row to a person, beside its target and what differs.
    """

    __pydantic_config__ = STRICT

    count: int = 5
    show: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= self.count <= MOST_COMPARABLES:
            raise ValueError(f"count is {self.count}: it must be from 1 to {MOST_COMPARABLES}.")


def column_of(raw: Mapping[str, Any]) -> Column:
    """Build a column from its JSON."""
    column = with_tuples(raw)
    if column.get("range") is not None:
        column["range"] = tuple(column["range"])
    column["levels"] = tuple(column.get("levels", ()))
    return Column(**column)
