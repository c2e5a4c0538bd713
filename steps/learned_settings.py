"""What the YAML says of a feature that is learned from the targets of other training rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from steps.expressions import ExpressionError, parse
from steps.failure import did_you_mean

# Read by pydantic, with which the pipeline checks the YAML file; the jobs do without pydantic.
STRICT = {"extra": "forbid", "strict": True}
NUMERIC = ("integer", "number", "boolean")


@dataclass(frozen=True, kw_only=True)
class LearnedFeature:
    """A feature that says what others, like this row, were worth.

    kind: target_encoding is the mean `value` of the training rows with the same categories `of`;
        neighbours is the mean `value` of the `count` training rows that are nearest in the numbers `of`,
        nearer ones weighing more.
    of: columns (for neighbours also derived features), never the target.
    value: an expression over the columns, the derived features and the target; default: the target on
        the scale that the models are trained on.
    smoothing: of target_encoding, how many rows of the overall mean are added to those of a category.
    count: of neighbours, how many. scale: what each number of `of` is multiplied by before distances are
        measured, such as kilometres per degree; default 1 each.
    """

    __pydantic_config__ = STRICT

    kind: Literal["target_encoding", "neighbours"]
    of: tuple[str, ...]
    value: str = ""
    smoothing: float | None = None
    count: int | None = None
    scale: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if self.kind not in ("target_encoding", "neighbours"):
            raise ValueError(f"kind is {self.kind!r}: it must be target_encoding or neighbours.")
        if not self.of:
            raise ValueError("of is empty: name the columns that make rows alike.")
        others = {"target_encoding": ("count", "scale"), "neighbours": ("smoothing",)}[self.kind]
        for name in others:
            if getattr(self, name) is not None:
                raise ValueError(f"{name} is not an option of {self.kind}: remove it.")
        if self.smoothing is not None and self.smoothing < 0:
            raise ValueError(f"smoothing is {self.smoothing}: it must not be negative.")
        if self.count is not None and self.count < 1:
            raise ValueError(f"count is {self.count}: at least one neighbour is needed.")
        if self.scale is not None and (len(self.scale) != len(self.of) or min(self.scale) <= 0):
            raise ValueError(f"scale is {list(self.scale)}: it must have one number above 0 for each of `of`.")

    def check(self, types: Mapping[str, str], target: str) -> None:
        """Raise ValueError unless the columns exist and are of types that the kind can use.

        `types` maps each column and each derived feature to its type.
        """
        wanted = ("category", "text") if self.kind == "target_encoding" else NUMERIC
        for name in self.of:
            if name == target:
                raise ValueError(f"of may not name the target {target}: a prediction has none.")
            if name not in types:
                raise ValueError(f"{name} is not a column{did_you_mean(name, types)}.")
            if types[name] not in wanted:
                noun = "a category or text" if self.kind == "target_encoding" else "a number"
                raise ValueError(f"{name} is of type {types[name]}: {self.kind} needs {noun}.")
        if self.value:
            try:
                parse(self.value, types)
            except ExpressionError as error:
                raise ValueError(f"value: {error}") from error
