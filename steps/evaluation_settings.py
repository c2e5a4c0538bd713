"""What the evaluation must know about a data set: the section evaluation of the YAML file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

LONGEST_TEXT = 2000
STRICT = {"extra": "forbid", "strict": True}


@dataclass(frozen=True, kw_only=True)
class Segment:
    """How the values of one column or derived feature divide the rows; one of the three, or each value alone.

    quantiles: that many bands with about equally many rows. edges: bands between these limits.
    prefix: texts with the same first characters go together.
    """

    __pydantic_config__ = STRICT

    quantiles: int = 0
    edges: tuple[float, ...] = ()
    prefix: int = 0

    def __post_init__(self) -> None:
        if sum(map(bool, (self.quantiles, self.edges, self.prefix))) > 1:
            raise ValueError("give one of quantiles, edges and prefix, not several.")
        if self.quantiles < 0 or self.quantiles == 1 or self.prefix < 0:
            raise ValueError("quantiles must be 2 or more, prefix 1 or more.")
        if list(self.edges) != sorted(set(self.edges)):
            raise ValueError(f"edges must rise: {list(self.edges)}.")


@dataclass(frozen=True, kw_only=True)
class MapSettings:
    """The map of the report: the errors of the rows of each value of `group`, drawn at their mean place."""

    __pydantic_config__ = STRICT

    latitude: str
    longitude: str
    group: str


@dataclass(frozen=True, kw_only=True)
class CardSettings:
    """What only people know of the model, for its card; the numbers come from the run.

    purpose, intended_uses, limits, risk_explanation: up to 2,000 characters each. risk_rating: as SageMaker's
    model cards know it.
    """

    __pydantic_config__ = STRICT

    purpose: str = ""
    intended_uses: str = ""
    limits: str = ""
    risk_rating: Literal["High", "Medium", "Low", "Unknown"] = "Unknown"
    risk_explanation: str = ""

    def __post_init__(self) -> None:
        for name in ("purpose", "intended_uses", "limits", "risk_explanation"):
            if len(getattr(self, name)) > LONGEST_TEXT:
                raise ValueError(f"evaluation.card.{name} has more than {LONGEST_TEXT:,} characters.")


@dataclass(frozen=True, kw_only=True)
class EvaluationSettings:
    """segments: column or derived feature -> the groups of rows whose errors are compared.

    min_segment_rows: with fewer test rows a segment is marked as small, and no gate looks at it.
    card: what people know of the model.
    map: where the rows lie, if the data says so.
    explained_rows: how many test rows are explained by Shapley values, which take long to compute.
    labels: feature or column -> what people call it in the report.
    """

    __pydantic_config__ = STRICT

    segments: dict[str, Segment] = field(default_factory=dict)
    min_segment_rows: int = 100
    explained_rows: int = 150
    map: MapSettings | None = None
    labels: dict[str, str] = field(default_factory=dict)
    card: CardSettings = field(default_factory=CardSettings)

    def __post_init__(self) -> None:
        for name in ("min_segment_rows", "explained_rows"):
            if getattr(self, name) < 1:
                raise ValueError(f"evaluation.{name} must be 1 or more.")

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> EvaluationSettings:
        """Build the settings from their parsed section."""
        segments = {
            name: Segment(**{**segment, "edges": tuple(segment.get("edges", ()))})
            for name, segment in document.get("segments", {}).items()
        }
        place = document.get("map")
        card = CardSettings(**(document.get("card") or {}))
        built = {"segments": segments, "map": MapSettings(**place) if place else None, "card": card}
        return cls(**{**document, **built})
