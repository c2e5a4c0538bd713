"""Stands for sagemaker-inference in the images that have it, unless they bring it: what handlers import of it."""

import local_sagemaker_toolkits  # noqa: F401 - before anything of the toolkits
