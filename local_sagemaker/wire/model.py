"""botocore's models of the APIs that are answered here."""

import re
from functools import cache

from botocore.loaders import Loader
from botocore.model import ServiceModel


@cache
def api_loader() -> Loader:
    """The reader of botocore's models, which keeps what it has read; a client that is given it reads nothing twice."""
    return Loader()


@cache
def service_model(service: str = "sagemaker") -> ServiceModel:
    """botocore's model of a service, read once (SageMaker's takes about 0.15 s)."""
    return ServiceModel(api_loader().load_service_model(service, "service-2"), service)


@cache
def compiled_pattern(pattern: str | None) -> re.Pattern[str] | None:
    """A pattern of AWS's model as Python's, or None where it is written in words that Python does not have."""
    try:
        return re.compile(pattern) if pattern is not None else None
    except re.error:
        return None
