"""Stands for the package of the XGBoost image's own code: what scripts import of it."""

import local_sagemaker_toolkits  # noqa: F401 - before anything of the toolkits
