"""Import XGBoost in a fifth of the time: without its optional scikit-learn wrappers, which no job uses."""

from __future__ import annotations

import sys

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

__all__ = ["xgboost"]
