"""The YAML that says what is modelled, read into frozen, strict, typed settings."""

import json
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from pipelines.errors import PipelineError
from pipelines.settings.candidate_settings import CandidateSettings, XGBoostSettings, hyperparameter
from pipelines.settings.explained import explained
from pipelines.settings.query_settings import QuerySettings
from pipelines.settings.section import Section
from pipelines.settings.stage_settings import StageSettings
from pipelines.settings.strict_yaml import DoubledKeys, read_yaml
from pipelines.settings.tuning_settings import TuningSettings
from steps.gates import GATES
from steps.hyperparameters import CHECKPOINT_ROUNDS
from steps.settings import (
    DataSettings,
    EvaluationSettings,
    JobSettings,
    MonitoringSettings,
    SplitSettings,
    ValidationSettings,
    normalise,
)

DEFAULT_APPROVAL_STAGE = "staging"
ROOT = Path(__file__).resolve().parents[2]
PipelineName = Literal["training", "validation", "monitoring"]


class IntervalSettings(Section):
    """The interval that comes with each prediction: the share of actual values that should lie inside.

    So many `bands` of the prediction are calibrated each for itself, and judged by a gate.
    """

    coverage: float = hyperparameter("coverage", optional=True)
    bands: int = hyperparameter("bands", optional=True)


def gate_limit(name: str) -> Any:
    """A field for the limit of a gate, with the bounds, and the default if it may be left out, that the gate has."""
    gate = GATES[name]
    return Field(... if gate.default is None else gate.default, **gate.allowed)


class GateSettings(Section):
    """What a model must reach on the test part before it is registered.

    R2 is a share of the variance, MAPE a fraction (0.15 is 15 %), the ratio XGBoost's RMSE over the linear one's.
    An R2 above max_r2, of the model or of a line of numbers that tell the target together, is too good to be true.
    max_baseline_ratio is XGBoost's RMSE over that of scikit-learn's HistGradientBoosting with its defaults: the lower
    end of a 95 % confidence interval may not be above it. max_missing_ratio is by what factor the RMSE may grow where
    an optional input is missing, max_broken_rules how many test rows may break a rule of data.monotone.
    max_segment_mape is the MAPE of the worst segment, max_coverage_gap how far the measured coverage of the
    interval may be from the wanted one, max_undercovered how many segments may be covered too seldom, and
    min_improvement by what share the RMSE must at least be lower than the champion's: the lower end of a 95 %
    confidence interval must be above it.
    """

    min_r2: float = gate_limit("min_r2")
    max_r2: float = gate_limit("max_r2")
    max_mape: float = gate_limit("max_mape")
    max_rmse_ratio: float = gate_limit("max_rmse_ratio")
    max_baseline_ratio: float = gate_limit("max_baseline_ratio")
    max_missing_ratio: float = gate_limit("max_missing_ratio")
    max_broken_rules: float = gate_limit("max_broken_rules")
    max_segment_mape: float = gate_limit("max_segment_mape")
    max_coverage_gap: float = gate_limit("max_coverage_gap")
    max_undercovered: float = gate_limit("max_undercovered")
    min_improvement: float = gate_limit("min_improvement")


class InstanceSettings(Section):
    """The machines of one kind of job."""

    instance_type: str = Field(pattern=r"^ml\.[a-z0-9]+\.[a-z0-9]+$")
    instance_count: int = Field(default=1, ge=1)
    volume_gb: int = Field(default=30, ge=1)
    max_minutes: int = Field(default=60, ge=1)


class ProcessingInstances(InstanceSettings):
    """Those of processing. keep_parts: whether ValidateData keeps what it has judged of each file of a data set."""

    keep_parts: bool = False


class TrainingInstances(InstanceSettings):
    """Those of training. checkpoint_rounds: how many rounds its checkpoints are apart; 0 is none.

    external_memory: whether XGBoost keeps its rows on the disk and reads them batch by batch.
    """

    checkpoint_rounds: int = Field(default=0, ge=int(CHECKPOINT_ROUNDS.low), le=int(CHECKPOINT_ROUNDS.high))
    external_memory: bool = False


class JobsSettings(Section):
    """What all jobs share."""

    image_version: str
    processing: ProcessingInstances
    training: TrainingInstances
    cache_days: int = Field(default=30, ge=1)
    retry_attempts: int = Field(default=3, ge=1)


class ApprovalSettings(Section):
    """Whether who approves a version must be somebody else than who made it, and the stage that it then goes to.

    Without `deploys_to` that is the stage staging, where there is one; with `false` none is.
    """

    four_eyes: bool = False
    deploys_to: str | Literal[False] | None = None


class Settings(Section):
    """Everything that the YAML says."""

    name: str = Field(pattern=r"^[a-z0-9](-*[a-z0-9])*$", max_length=40)
    description: str = ""
    data: DataSettings
    query: QuerySettings | None = None
    validation: ValidationSettings = ValidationSettings()
    split: SplitSettings = SplitSettings()
    evaluation: EvaluationSettings = EvaluationSettings()
    monitoring: MonitoringSettings = MonitoringSettings()
    candidates: CandidateSettings
    tuning: TuningSettings | None = None
    interval: IntervalSettings = IntervalSettings()
    gates: GateSettings
    approval: ApprovalSettings = ApprovalSettings()
    jobs: JobsSettings
    stages: dict[str, StageSettings]
    pipelines: list[PipelineName] = Field(default=["training"], min_length=1)

    @model_validator(mode="after")
    def _sections_agree(self) -> "Settings":
        self.for_jobs()
        if self.interval.bands > 1 and self.data.monotone:
            raise ValueError(
                "interval.bands: the bounds jump between bands, so they cannot keep the rules of data.monotone: leave "
                "out one of the two."
            )
        self._check_stages()
        if self.approval.deploys_to and self.approval.deploys_to not in self.stages:
            stages = ", ".join(self.stages) or "none"
            raise ValueError(f"approval.deploys_to is {self.approval.deploys_to}: the stages are {stages}.")
        self._check_approval_stage()
        self._check_tuning()
        return self

    def _check_stages(self) -> None:
        """A version comes from another stage, which is there long enough; a reserve is kept for such a step only."""
        if self.split.reserve and not any(stage.promote_from for stage in self.stages.values()):
            raise ValueError(
                "split.reserve: only a promotion scores the reserve, and no stage has promote_from: give one to "
                "the stage of your customers, or leave out split.reserve."
            )
        for name, stage in self.stages.items():
            if stage.promote_from is not None and (stage.promote_from == name or stage.promote_from not in self.stages):
                others = ", ".join(each for each in self.stages if each != name)
                known = f"the other stages are {others}" if others else "there is no other stage"
                raise ValueError(f"stages.{name}.promote_from is {stage.promote_from}: {known}")
            source = self.stages.get(stage.promote_from or "")
            needed = stage.promote_after_minutes
            if source is not None and source.stay is not None and source.stay.total_seconds() <= 60 * needed:
                raise ValueError(
                    f"stages.{name}.promote_after_minutes is {needed}, and {stage.promote_from} removes itself after "
                    f"{source.remove_after}: nothing could be promoted."
                )

    def _check_tuning(self) -> None:
        """What is tuned are hyperparameters of XGBoost, within their limits."""
        if self.tuning and self.candidates.libraries:
            raise ValueError(
                f"tuning: only XGBoost can be tuned, and candidates names {' and '.join(self.candidates.libraries)}: "
                "leave out one of the two."
            )
        if self.tuning and self.jobs.training.checkpoint_rounds:
            raise ValueError(
                "jobs.training.checkpoint_rounds: the short jobs of a tuning keep no checkpoints: leave it out, or "
                "tuning."
            )
        for name, chosen in (self.tuning.ranges if self.tuning else {}).items():
            known = [field for field in XGBoostSettings.model_fields if field != "seed"]
            if name not in known:
                close = get_close_matches(name, known, n=1)
                hint = f"; did you mean {close[0]}?" if close else f"; known are {', '.join(known)}."
                raise ValueError(f"tuning.ranges: {name} is not a hyperparameter of XGBoost{hint}")
            for end in chosen.ends:
                _check_hyperparameter(self.candidates.xgboost, name, end)

    def _check_approval_stage(self) -> None:
        """An approval alone deploys to its stage: without a second person, and without what another stage has shown."""
        name = self.approval_stage
        if name is None:
            return
        for key in ("second_person", "promote_from"):
            if getattr(self.stages[name], key):
                raise ValueError(
                    f"stages.{name}.{key}: an approval alone deploys to this stage. Name another stage in "
                    "approval.deploys_to, or write false there."
                )

    def for_jobs(self) -> dict[str, Any]:
        """The sections that travel with the code, as JSON values; ValueError where they contradict each other."""
        return JobSettings(
            data=self.data,
            validation=self.validation,
            split=self.split,
            evaluation=self.evaluation,
            estimators=self.candidates.estimators,
            monitoring=self.monitoring,
        ).to_json()

    @property
    def approval_stage(self) -> str | None:
        """The stage that an approved version is deployed to; None where an approval deploys nothing."""
        if self.approval.deploys_to is None:
            return DEFAULT_APPROVAL_STAGE if DEFAULT_APPROVAL_STAGE in self.stages else None
        return self.approval.deploys_to or None

    def pipeline_name(self, pipeline: PipelineName) -> str:
        """The name of one of the pipelines in SageMaker."""
        return f"{self.name}-{pipeline}"


def _check_hyperparameter(xgboost: XGBoostSettings, name: str, value: float) -> None:
    """Raise ValueError where a tuning job could choose what XGBoost cannot have."""
    try:
        XGBoostSettings.model_validate({**xgboost.model_dump(), name: value})
    except ValidationError as error:
        raise ValueError(f"tuning.ranges.{name}: {value} is not possible: {error.errors()[0]['msg']}.") from None


def default_config() -> Path:
    """The YAML of the project's own data set."""
    return ROOT / "pipelines" / "house_prices.yaml"


def load_settings(path: Path) -> Settings:
    """Read a YAML; PipelineError names every fault with its place and what to write instead."""
    try:
        text = path.read_text(encoding="utf-8")
        raw = read_yaml(text)
    except OSError as error:
        raise PipelineError(f"The settings file {path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise PipelineError(f"{path} is not UTF-8 text: save it as UTF-8.") from None
    except RecursionError:
        raise PipelineError(f"{path} is nested too deeply to be settings.") from None
    except DoubledKeys as error:
        raise PipelineError(f"{path}: {error}.") from None
    except ValueError as error:  # a number of thousands of digits, a date that does not exist
        raise PipelineError(f"{path} has a value that cannot be read: {error}.") from None
    except yaml.YAMLError as error:
        raise PipelineError(f"{path} is not YAML: {_of_yaml(error)}.") from None
    if not isinstance(raw, dict):
        raise PipelineError(f"{path} must be a mapping with the keys {', '.join(Settings.model_fields)}.")
    try:
        return Settings.model_validate_json(json.dumps(normalise(raw), default=str))
    except ValidationError as error:
        raise PipelineError(f"{path}: {explained(error, text, Settings)}") from None


def _of_yaml(error: yaml.YAMLError) -> str:
    """What is wrong with a text that is not YAML, with its place where that is known."""
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return " ".join(str(error).split())
    return f"line {mark.line + 1}, column {mark.column + 1}: {getattr(error, 'problem', None) or 'it ends too early'}"
