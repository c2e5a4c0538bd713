"""Trees of another library than XGBoost: candidates that the YAML names, and one of which may be what predicts.

Each is learned from the same features, starts from the same numbers and stops on the same validation rows as XGBoost.
Which is best there predicts. A library is imported only where one is named, or a model holds its trees.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from steps.failure import JobError
from steps.other_libraries import LIBRARIES
from steps.starting_point import rows_of

if TYPE_CHECKING:
    from steps.features import Features
    from steps.starting_point import Part


class OtherTrees(Protocol):
    """Fitted trees. Features are those of `rows_of`: NaN for what is missing, or a level not seen."""

    @property
    def library(self) -> str:
        """The name of the candidate."""

    @property
    def rounds(self) -> int:
        """How many trees there are."""

    def predict(self, values: np.ndarray, start: np.ndarray, threads: int | None = None) -> np.ndarray:
        """One number per row on the training scale; `start` is what boosting starts from."""

    def contributions(self, values: np.ndarray, start: np.ndarray) -> np.ndarray:
        """Shapley values (rows, features + 1); the last column is what is expected of any row, `start` included."""

    def text(self) -> str:
        """The trees in the library's own text format."""


def fitted(
    library: str,
    settings: Mapping[str, Any],
    limits: tuple[int, int],
    parts: tuple[Part, Part],
    features: Features,
    *,
    seed: int,
    threads: int,
) -> tuple[OtherTrees, float]:
    """Boost until the validation error has not fallen for a while; return the best trees, and their error.

    limits: the most rounds, and after how many without progress to stop. The error is the root mean square on the
    training scale. Raises JobError where the library cannot learn from these features.
    """
    learn = _module(library).fit
    options = {**settings, "seed": seed, "threads": threads}
    try:
        trees: OtherTrees = learn(options, limits, parts[0], parts[1], features)
    except (ValueError, TypeError, RuntimeError) as error:
        sentence = " ".join(str(error).split()).rstrip(".")
        raise JobError(f"The candidate {library} cannot be trained: {sentence}.") from error
    predicted = trees.predict(rows_of(parts[1], features), parts[1].start)
    return trees, float(np.sqrt(np.mean((parts[1].target - predicted) ** 2)))


def refitted(
    trees: OtherTrees,
    settings: Mapping[str, Any],
    parts: tuple[Part, Part],
    features: Features,
    *,
    seed: int,
    threads: int,
) -> OtherTrees:
    """As many rounds on all these rows together, as `steps.starting_point.refit`."""
    options = {**settings, "seed": seed, "threads": threads}
    found: OtherTrees = _module(trees.library).fit(
        options, (trees.rounds, 0), parts[0].with_rows_of(parts[1]), None, features
    )
    return found


def hash_of(text: str) -> str:
    """What a text of trees is known by: the SHA-256 of its UTF-8 bytes, in hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def loaded(folder: Path, library: str, expected: str | None = None) -> OtherTrees:
    """The trees of a model directory. Raises JobError where they, or the library, are missing or broken.

    LightGBM ends the whole process at a number that makes no tree. So no text is given to a library that is not the one
    whose hash was `expected` when it was written; models of before there was a hash have none.
    """
    path = folder / LIBRARIES[library].file
    try:
        text = path.read_text(encoding="utf-8")
        if expected is not None and hash_of(text) != expected:
            raise JobError(
                f"The model's {path.name} is damaged: its SHA-256 is not that of model.json. Train it again."
            )
        trees: OtherTrees = _module(library).from_text(text)
    except FileNotFoundError as error:
        raise JobError(f"The model lacks {path.name}: train it again.") from error
    except (ValueError, RuntimeError, json.JSONDecodeError) as error:
        raise JobError(f"The model's {path.name} cannot be loaded by {library}.") from error
    return trees


def _module(library: str) -> Any:
    """Our module for a library. Raises JobError where the library is not there."""
    try:
        import_module(LIBRARIES[library].package)
    except (ModuleNotFoundError, OSError) as error:  # OSError: a shared object that it needs
        package = LIBRARIES[library].package
        raise JobError(f"The candidate {library} needs {package}, which cannot be imported: {error}.") from error
    if library == "lightgbm":
        from steps import lightgbm_trees

        return lightgbm_trees
    from steps import catboost_trees

    return catboost_trees
