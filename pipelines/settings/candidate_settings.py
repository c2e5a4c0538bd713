"""The section candidates of the YAML: which models are trained, and with which hyperparameters."""

import re
from typing import Any, Literal

from pydantic import ConfigDict, Field, model_validator

from pipelines.settings.section import Section
from steps.hyperparameters import HYPERPARAMETERS
from steps.other_libraries import LIBRARIES
from steps.settings import Estimator

CANDIDATE_NAME = re.compile("[a-z][a-z0-9_]*")


def hyperparameter(name: str, *, optional: bool = False) -> Any:
    """A field with the limits, and where it may be left out the default, that Train has."""
    limits = HYPERPARAMETERS[name]
    return Field(limits.kind(limits.default) if optional else ..., ge=limits.low, le=limits.high, allow_inf_nan=False)


class XGBoostSettings(Section):
    """Defaults of the hyperparameters; each is a parameter of the pipeline or an argument of the Train step."""

    max_depth: int = hyperparameter("max_depth")
    learning_rate: float = hyperparameter("learning_rate")
    rounds: int = hyperparameter("rounds")
    early_stopping_rounds: int = hyperparameter("early_stopping_rounds")
    min_child_weight: float = hyperparameter("min_child_weight", optional=True)
    subsample: float = hyperparameter("subsample", optional=True)
    colsample_bytree: float = hyperparameter("colsample_bytree", optional=True)
    reg_lambda: float = hyperparameter("reg_lambda", optional=True)
    seed: int = hyperparameter("seed", optional=True)
    start: Literal["auto", "mean", "line", "out_of_fold_line"] = "auto"


def library_hyperparameter(library: str, name: str) -> Any:
    """A field with the limits and the default of a hyperparameter of another library."""
    limits = LIBRARIES[library].hyperparameters[name]
    return Field(limits.kind(limits.default), ge=limits.low, le=limits.high, allow_inf_nan=False)


class LightGBMSettings(Section):
    """LightGBM's own hyperparameters; rounds, early stopping and seed are XGBoost's."""

    learning_rate: float = library_hyperparameter("lightgbm", "learning_rate")
    num_leaves: int = library_hyperparameter("lightgbm", "num_leaves")
    min_data_in_leaf: int = library_hyperparameter("lightgbm", "min_data_in_leaf")
    feature_fraction: float = library_hyperparameter("lightgbm", "feature_fraction")
    bagging_fraction: float = library_hyperparameter("lightgbm", "bagging_fraction")
    bagging_freq: int = library_hyperparameter("lightgbm", "bagging_freq")
    lambda_l2: float = library_hyperparameter("lightgbm", "lambda_l2")


class CatBoostSettings(Section):
    """CatBoost's own hyperparameters; rounds, early stopping and seed are XGBoost's."""

    learning_rate: float = library_hyperparameter("catboost", "learning_rate")
    depth: int = library_hyperparameter("catboost", "depth")
    l2_leaf_reg: float = library_hyperparameter("catboost", "l2_leaf_reg")


class LinearSettings(Section):
    """The linear regression has nothing to set."""


class CandidateSettings(Section):
    """The models that are trained: XGBoost, the linear regression that it must beat, and any of scikit-learn.

    Of XGBoost, LightGBM and CatBoost the one that is best on the validation part predicts.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Estimator] = Field(init=False)

    linear: LinearSettings
    xgboost: XGBoostSettings
    lightgbm: LightGBMSettings | None = None
    catboost: CatBoostSettings | None = None

    @property
    def libraries(self) -> dict[str, dict[str, float]]:
        """The hyperparameters of the other libraries that the YAML names."""
        named = {name: getattr(self, name) for name in LIBRARIES}
        return {name: settings.model_dump() for name, settings in named.items() if settings is not None}

    @property
    def estimators(self) -> dict[str, Estimator]:
        """The regressors of scikit-learn by the names that the YAML gives them."""
        return dict(self.__pydantic_extra__)

    @model_validator(mode="after")
    def _estimators_exist(self) -> "CandidateSettings":
        for name, estimator in self.estimators.items():
            if not CANDIDATE_NAME.fullmatch(name) or name in ("champion", "plain_boosting"):
                raise ValueError(f"{name} is not a valid name for a candidate: use small letters, digits and _.")
            try:
                estimator.make()
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from error
        return self
