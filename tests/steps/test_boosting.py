"""The quick import leaves scikit-learn usable and is quick because it leaves it out."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import sys
from steps.boosting import xgboost
assert "sklearn" not in sys.modules, "scikit-learn was imported"
xgboost.Booster
import sklearn
assert sklearn.__version__
"""


@pytest.mark.e2e
def test_scikit_learn_is_left_out_and_stays_importable() -> None:
    root = Path(__file__).parents[2]
    result = subprocess.run([sys.executable, "-c", SCRIPT], cwd=root, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
