"""Candidates for comparison: regressors of scikit-learn that the YAML names.

They are fitted where they are judged, in the evaluation job, on the features of the training rows. So no fitted
scikit-learn object, which a pickle alone could carry, travels between jobs or into the registry. What turns out
better than XGBoost is an argument for another model, not a model to deploy.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

from steps.failure import JobError, did_you_mean, listed
from steps.other_libraries import LIBRARIES

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from steps.features import Features
    from steps.row_source import RowSource

PATH = re.compile(r"sklearn(\.[A-Za-z]\w*)+")


@dataclass(frozen=True, kw_only=True)
class Estimator:
    """estimator: where the class lies, such as sklearn.ensemble.RandomForestRegressor; parameters: its own."""

    __pydantic_config__ = {"extra": "forbid", "strict": True}  # noqa: RUF012 - read by pydantic, not a field

    estimator: str
    parameters: dict[str, Any] = field(default_factory=dict)

    def make(self) -> Any:
        """Return the estimator with its parameters, not fitted; random_state is 0 where it is not given.

        Raises ValueError with one sentence when there is no such regressor or parameter.
        """
        kind = _regressor(self.estimator)
        known = [name for name in inspect.signature(kind).parameters if name != "self"]
        for name in self.parameters:
            if name not in known:
                raise ValueError(f"{self.estimator} has no parameter {name}{did_you_mean(name, known)}.")
        defaults = {"random_state": 0} if "random_state" in known else {}
        try:
            return kind(**{**defaults, **self.parameters})
        except TypeError as error:
            raise ValueError(f"{self.estimator} cannot be created from the YAML: {error}.") from error


def predictions(
    estimators: Mapping[str, Estimator], train: pd.DataFrame, table: RowSource, features: Features
) -> dict[str, np.ndarray]:
    """Fit each estimator on training rows and return its predictions for `table`, in the target's unit.

    `train` holds the features and the target, `table` the features of other rows. The features are the same
    numbers that XGBoost has, standardised, for some estimators measure distances, and with an indicator and the
    median for what is missing. Raises JobError when an
    estimator cannot be made or fitted.
    """
    import numpy as np  # the YAML's check reads this module, and loads no library

    names = list(features.names)
    target = features.scaled(train[features.target].to_numpy(dtype=float))
    found = {}
    for name, estimator in estimators.items():
        fitted = _fitted(name, estimator, train[names], target)
        batches = [fitted.predict(batch).ravel() for batch in table.batches(names)]
        found[name] = features.unscaled(np.concatenate(batches))
    return found


def _fitted(name: str, estimator: Estimator, table: pd.DataFrame, target: np.ndarray) -> Any:
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    try:
        made = estimator.make()
        pipeline = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler(), made).fit(
            table, target
        )
    except (ValueError, TypeError) as error:
        sentence = " ".join(str(error).split())
        raise JobError(f"The candidate {name} ({estimator.estimator}) cannot be fitted: {sentence}") from error
    if "n_jobs" in made.get_params():
        # A forest adds up its trees as its threads come in, so the last digit would vary.
        made.set_params(n_jobs=1)
    return pipeline


def _regressor(path: str) -> type:
    from sklearn.base import RegressorMixin

    module, _, name = path.rpartition(".")
    kind = None
    if PATH.fullmatch(path):
        try:
            kind = getattr(import_module(module), name, None)
        except ModuleNotFoundError:
            kind = None
    if not (isinstance(kind, type) and issubclass(kind, RegressorMixin)):
        if module.partition(".")[0] in LIBRARIES:
            raise ValueError(
                f"{path} would be served as a pickle, which no model may be: write "
                f"candidates.{module.partition('.')[0]} with the hyperparameters of the library itself."
            )
        known = _known()
        hint = did_you_mean(path, known) or did_you_mean(name, [each.rpartition(".")[2] for each in known])
        example = "" if hint else f" such as {listed(known[:1])}"
        raise ValueError(f"{path} is not a regressor of scikit-learn{hint or example + '.'}")
    return kind


def _known() -> list[str]:
    """The regressors of scikit-learn by their public places."""
    from sklearn.utils import all_estimators

    return sorted(
        ".".join(part for part in kind.__module__.split(".") if not part.startswith("_")) + f".{name}"
        for name, kind in all_estimators(type_filter="regressor")
    )
