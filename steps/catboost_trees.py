"""CatBoost's trees, kept in its own JSON format."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import catboost
import numpy as np

from steps.features import Features
from steps.starting_point import Part, rows_of

MISSING = b"missing"  # a level of its own, as an unseen one is


@dataclass(frozen=True)
class CatBoostTrees:
    """A model that predicts what is to be added to what boosting starts from.

    categories: the places of the features that are levels; `document` is what CatBoost wrote.
    """

    model: catboost.CatBoost
    categories: tuple[int, ...]
    document: str
    library: str = "catboost"

    @property
    def rounds(self) -> int:
        """How many trees there are."""
        return int(self.model.tree_count_)

    def predict(self, values: np.ndarray, start: np.ndarray, threads: int | None = None) -> np.ndarray:
        """One number per row on the training scale."""
        data = _features(values, self.categories)
        added: np.ndarray = start + np.asarray(self.model.predict(data, thread_count=threads or -1), dtype=float)
        return added

    def contributions(self, values: np.ndarray, start: np.ndarray) -> np.ndarray:
        """Shapley values (rows, features + 1), see `steps.other_trees.OtherTrees`."""
        pool = catboost.Pool(_features(values, self.categories))
        found = np.asarray(self.model.get_feature_importance(pool, type="ShapValues"), dtype=float)
        result = np.empty_like(found)
        result[:, [*_order(values.shape[1], self.categories), values.shape[1]]] = found
        result[:, -1] += start
        return result

    def text(self) -> str:
        """The trees as CatBoost writes them."""
        return self.document


def from_text(text: str) -> CatBoostTrees:
    """Build the trees from `text`. Raises ValueError where it is not theirs."""
    json.loads(text)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "catboost.json"
        path.write_text(text, encoding="utf-8")
        model = catboost.CatBoost()
        try:
            model.load_model(str(path), format="json")
        except catboost.CatBoostError as error:
            raise ValueError(str(error)) from error
    names = model.feature_names_
    chosen = {names[place] for place in model.get_cat_feature_indices()}
    return CatBoostTrees(model, tuple(sorted(int(name[1:]) for name in chosen)), text)


def fit(
    options: Mapping[str, Any], limits: tuple[int, int], train: Part, validation: Part | None, features: Features
) -> CatBoostTrees:
    """Boost; with a validation part until its error has not fallen for a while. `limits` as in `steps.other_trees`."""
    rest = {name: value for name, value in options.items() if name not in ("threads", "seed")}
    categories = tuple(place for place, name in enumerate(features.names) if name in features.levels)
    parameters: dict[str, Any] = {
        "loss_function": "RMSE",
        "iterations": limits[0],
        "boost_from_average": False,
        "allow_writing_files": False,
        "logging_level": "Silent",
        "thread_count": options["threads"],
        "random_seed": options["seed"],
        **rest,
    }
    if features.signs:
        signs = [features.signs.get(features.names[place], 0) for place in _order(len(features.names), categories)]
        # Counts of a level together with a number's split would move with the number, whatever the rule says.
        parameters |= {"monotone_constraints": signs, "max_ctr_complexity": 1}
    if validation is not None:
        parameters |= {"od_type": "Iter", "od_wait": limits[1], "use_best_model": True}
    model = catboost.CatBoost(parameters)
    try:
        model.fit(_pool(train, features, categories), eval_set=validation and _pool(validation, features, categories))
    except catboost.CatBoostError as error:
        raise ValueError(str(error)) from error
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "catboost.json"
        model.save_model(str(path), format="json", pool=_pool(train, features, categories))
        text = json.dumps(json.loads(path.read_text(encoding="utf-8")))
    return from_text(text)


def _pool(part: Part, features: Features, categories: Sequence[int]) -> catboost.Pool:
    return catboost.Pool(_features(rows_of(part, features), categories), part.target, baseline=part.start)


def _order(features: int, categories: Sequence[int]) -> list[int]:
    """The places of the features in CatBoost's order: numbers first, then levels."""
    return [*(place for place in range(features) if place not in categories), *categories]


def _features(values: np.ndarray, categories: Sequence[int]) -> catboost.FeaturesData:
    """Features (rows, features) as CatBoost takes them; a level is a text, and a missing one has a level of its own."""
    order = _order(values.shape[1], categories)
    numbers = order[: len(order) - len(categories)]
    texts = np.empty((len(values), len(categories)), dtype=object)
    for column, place in enumerate(categories):
        texts[:, column] = [MISSING if code != code else b"%d" % code for code in values[:, place].tolist()]
    return catboost.FeaturesData(
        num_feature_data=np.ascontiguousarray(values[:, numbers], dtype=np.float32),
        cat_feature_data=texts if categories else None,
        num_feature_names=[f"f{place}" for place in numbers],
        cat_feature_names=[f"f{place}" for place in categories],
    )
