"""Lets the packages beside this folder import `local_sagemaker.toolkits`, which a job's interpreter need not have."""

import sys
import types
from pathlib import Path

PACKAGE = "local_sagemaker"

if PACKAGE not in sys.modules:
    package = types.ModuleType(PACKAGE)
    package.__path__ = [str(Path(__file__).resolve().parents[3])]
    sys.modules[PACKAGE] = package
