"""Import XGBoost in a fifth of the time: without its optional scikit-learn wrappers, which no job uses."""

from __future__ import annotations

import sys
from collections.abc import Hashable, Iterable

_loaded = "sklearn" in sys.modules
if not _loaded:
    # XGBoost imports scikit-learn (a second) if it can, and does without if it cannot. None in
    # sys.modules makes it "cannot" for this one import; scikit-learn itself stays importable after.
    sys.modules["sklearn"] = None  # type: ignore[assignment]
try:
    import xgboost
finally:
    if not _loaded:
        del sys.modules["sklearn"]

# What XGBoost does not take in the name of a feature, though a data file may have it -> what stands for it.
_REFUSED = str.maketrans("[]<", "()\u2039")


def feature_names(names: Iterable[Hashable]) -> list[str]:
    """The names of features as XGBoost takes them."""
    return [str(name).translate(_REFUSED) for name in names]


__all__ = ["feature_names", "xgboost"]
