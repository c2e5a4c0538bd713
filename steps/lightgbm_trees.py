"""LightGBM's trees, kept in its own text format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import lightgbm
import numpy as np

from steps.features import Features
from steps.starting_point import Part, rows_of


@dataclass(frozen=True)
class LightGBMTrees:
    """A booster that predicts what is to be added to what boosting starts from."""

    booster: lightgbm.Booster
    library: str = "lightgbm"

    @property
    def rounds(self) -> int:
        """How many trees there are."""
        return int(self.booster.num_trees())

    def predict(self, values: np.ndarray, start: np.ndarray, threads: int | None = None) -> np.ndarray:
        """One number per row on the training scale."""
        added: np.ndarray = start + np.asarray(self.booster.predict(values, num_threads=threads or 0), dtype=float)
        return added

    def contributions(self, values: np.ndarray, start: np.ndarray) -> np.ndarray:
        """Shapley values (rows, features + 1), exact, see `steps.other_trees.OtherTrees`."""
        found = np.asarray(self.booster.predict(values, pred_contrib=True), dtype=float)
        found[:, -1] += start
        return found

    def text(self) -> str:
        """The trees as LightGBM writes them."""
        return str(self.booster.model_to_string())


def from_text(text: str) -> LightGBMTrees:
    """Build the trees from `text`. Raises ValueError where it is not theirs.

    LightGBM ends the whole process where a tree breaks off, so that is looked for first.
    """
    sizes = next((line for line in text.splitlines() if line.startswith("tree_sizes=")), "")
    if "\nend of trees\n" not in text or len(sizes.split()) != text.count("\nTree="):
        raise ValueError("the text breaks off")
    try:
        return LightGBMTrees(lightgbm.Booster(model_str=text))
    except lightgbm.basic.LightGBMError as error:
        raise ValueError(str(error)) from error


def fit(
    options: Mapping[str, Any], limits: tuple[int, int], train: Part, validation: Part | None, features: Features
) -> LightGBMTrees:
    """Boost; with a validation part until its error has not fallen for a while. `limits` as in `steps.other_trees`."""
    rest = {name: value for name, value in options.items() if name not in ("threads", "seed")}
    parameters = {
        "objective": "regression",
        "metric": "rmse",
        "verbosity": -1,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": options["threads"],
        "seed": options["seed"],
        **rest,
    }
    if features.signs:
        parameters["monotone_constraints"] = [features.signs.get(name, 0) for name in features.names]
    learn = _data(train, features)
    try:
        if validation is None:
            booster = lightgbm.train(parameters, learn, num_boost_round=limits[0])
            return from_text(booster.model_to_string())
        booster = lightgbm.train(
            parameters,
            learn,
            num_boost_round=limits[0],
            valid_sets=[_data(validation, features, learn)],
            callbacks=[lightgbm.early_stopping(limits[1], verbose=False)],
        )
    except lightgbm.basic.LightGBMError as error:
        raise ValueError(str(error)) from error
    return from_text(booster.model_to_string(num_iteration=max(1, booster.best_iteration)))


def _data(part: Part, features: Features, like: lightgbm.Dataset | None = None) -> lightgbm.Dataset:
    """The rows of a part; its names are LightGBM's, which takes no special signs in those of a data file."""
    places = [place for place, name in enumerate(features.names) if name in features.levels]
    return lightgbm.Dataset(
        rows_of(part, features),
        part.target,
        init_score=part.start,
        reference=like,
        categorical_feature=places,
        feature_name=[f"f{place}" for place in range(len(features.names))],
    )
