"""Scripts name this module and take nothing from it; what they would take says that it is not here."""

from typing import NoReturn


def __getattr__(name: str) -> NoReturn:
    raise AttributeError(f"local SageMaker has no sagemaker_containers.beta.framework.transformer.{name}.")
