"""What an evaluation needs to know: the sections evaluation and estimators, beside those of the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from steps.data_settings import PreparationSettings
from steps.estimators import Estimator
from steps.evaluation_settings import EvaluationSettings
from steps.failure import did_you_mean


@dataclass(frozen=True, kw_only=True)
class EvaluatedSettings(PreparationSettings):
    """What Evaluate reads; `estimators` are the YAML's candidates besides XGBoost and the linear regression."""

    evaluation: EvaluationSettings = field(default_factory=EvaluationSettings)
    estimators: dict[str, Estimator] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_segments()
        self._check_map()
        self._check_labels()

    @classmethod
    def sections(cls, document: Mapping[str, Any]) -> dict[str, Any]:
        """As before, and those of here."""
        return {
            **super().sections(document),
            "evaluation": EvaluationSettings.from_json(document.get("evaluation") or {}),
            "estimators": {name: Estimator(**each) for name, each in (document.get("estimators") or {}).items()},
        }

    def _check_labels(self) -> None:
        known = [*self.data.columns, *self.data.derived, *self.data.learned]
        for name in self.evaluation.labels:
            if name not in known:
                hint = did_you_mean(name, known)
                raise ValueError(f"evaluation.labels: {name} is neither a column nor a feature{hint}.")

    def _check_map(self) -> None:
        place = self.evaluation.map
        if place is None:
            return
        for key in ("latitude", "longitude", "group"):
            name = getattr(place, key)
            if name not in self.data.columns:
                hint = did_you_mean(name, self.data.columns)
                raise ValueError(f"evaluation.map.{key}: {name} is not a column{hint}.")
            if key != "group" and self.data.types[name] not in ("integer", "number"):
                raise ValueError(f"evaluation.map.{key}: {name} is not a number.")

    def _check_segments(self) -> None:
        known = [*self.data.columns, *self.data.derived]
        for name, segment in self.evaluation.segments.items():
            if name not in known:
                place = f"evaluation.segments: {name}"
                raise ValueError(f"{place} is neither a column nor a derived feature{did_you_mean(name, known)}.")
            type_ = self.data.types.get(name, "number")
            if (segment.quantiles or segment.edges) and type_ not in ("integer", "number"):
                raise ValueError(f"evaluation.segments.{name}: a {type_} has no quantiles or edges.")
            if segment.prefix and type_ not in ("category", "text"):
                raise ValueError(f"evaluation.segments.{name}: only a category or text has a prefix.")
