"""What all jobs together must know about a data set: every section of the YAML file that travels with their code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from steps.column_settings import Column as Column
from steps.column_settings import ColumnType as ColumnType
from steps.column_settings import ComparableSettings as ComparableSettings
from steps.column_settings import column_of as column_of
from steps.data_settings import DEFAULT_PATH as DEFAULT_PATH
from steps.data_settings import DataSettings as DataSettings
from steps.data_settings import load_as
from steps.data_settings import names_or_none as names_or_none
from steps.data_settings import normalise as normalise
from steps.estimators import Estimator as Estimator
from steps.evaluated_settings import EvaluatedSettings
from steps.evaluation_settings import EvaluationSettings as EvaluationSettings
from steps.monitoring_settings import MonitoringSettings as MonitoringSettings
from steps.split_settings import SplitSettings as SplitSettings
from steps.validation_settings import UNIQUE as UNIQUE
from steps.validation_settings import Expectation as Expectation
from steps.validation_settings import ValidationSettings as ValidationSettings


@dataclass(frozen=True, kw_only=True)
class JobSettings(EvaluatedSettings):
    """All that the jobs read."""

    monitoring: MonitoringSettings = field(default_factory=MonitoringSettings)

    @classmethod
    def sections(cls, document: Mapping[str, Any]) -> dict[str, Any]:
        """As before, and monitoring."""
        monitoring = MonitoringSettings.from_json(document.get("monitoring") or {})
        return {**super().sections(document), "monitoring": monitoring}


def load(path: Path = DEFAULT_PATH) -> JobSettings:
    """Read settings.json. Raises JobError when it is missing or cannot be used."""
    return load_as(JobSettings, path)
