"""Stands for sagemaker-containers in the images that have it: what scripts import of it, and a word on the rest."""

import local_sagemaker_toolkits  # noqa: F401 - before anything of the toolkits
