"""What AWS's own API model says of a step: the request that its Arguments are, the response that its properties are."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import botocore.session
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape

from local_sagemaker.engine.expressions import is_expression
from local_sagemaker.engine.faults import Fault, did_you_mean

# The resource that a step of each type makes, and the field of its name.
RESOURCES = {
    "Processing": ("ProcessingJob", "ProcessingJobName"),
    "Training": ("TrainingJob", "TrainingJobName"),
    "Transform": ("TransformJob", "TransformJobName"),
    "Tuning": ("HyperParameterTuningJob", "HyperParameterTuningJobName"),
    "Model": ("Model", "ModelName"),
    "RegisterModel": ("ModelPackage", "ModelPackageName"),
}
SCALARS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
    "timestamp": (str, int, float),
}


@cache
def service_model() -> ServiceModel:
    """botocore's model of SageMaker, read once (about 0.15 s)."""
    return botocore.session.get_session().get_service_model("sagemaker")


def argument_faults(step_type: str, arguments: dict[str, Any], path: str) -> Iterator[Fault]:
    """What the Create operation of a step's type would refuse in its arguments; nothing for types not in RESOURCES."""
    if step_type not in RESOURCES:
        return
    resource, name = RESOURCES[step_type]
    shape = service_model().operation_model(f"Create{resource}").input_shape
    # The service names the resource, and runs a step without a role with the role of the pipeline:
    # https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-access.html
    yield from _structure(arguments, shape, path, frozenset({name, "RoleArn"}))


def property_fault(step_type: str, tokens: list[str | int]) -> str | None:
    """Why the Describe response of a step's type cannot have these properties; None where it can, or is not known."""
    if step_type not in RESOURCES:
        return None
    operation = f"Describe{RESOURCES[step_type][0]}"
    shape, walked = service_model().operation_model(operation).output_shape, operation
    for token in tokens:
        inner = _inner(shape, token)
        if inner is None:
            members = shape.members if isinstance(shape, StructureShape) else ()
            return f"{walked} has no property {token}{did_you_mean(token, members)}"
        shape, walked = inner, f"{walked}[{token}]" if isinstance(shape, ListShape) else f"{walked}.{token}"
    return None


def _inner(shape: Shape, token: str | int) -> Shape | None:
    if isinstance(shape, StructureShape):
        return shape.members.get(token)
    if isinstance(shape, MapShape):
        return shape.value
    return shape.member if isinstance(shape, ListShape) else None


def _faults(value: Any, shape: Shape, path: str) -> Iterator[Fault]:
    if is_expression(value):
        return  # of a type that only an execution knows
    if isinstance(shape, StructureShape):
        yield from _structure(value, shape, path, frozenset())
    elif isinstance(shape, ListShape):
        yield from _list(value, shape, path)
    elif isinstance(shape, MapShape):
        yield from _map(value, shape, path)
    else:
        yield from _scalar(value, shape, path)


def _structure(value: Any, shape: StructureShape, path: str, filled_in: frozenset[str]) -> Iterator[Fault]:
    if not isinstance(value, dict):
        yield _wrong_type(value, "a structure", path)
        return
    for name in shape.required_members:
        if name not in value and name not in filled_in:
            yield Fault(path, f"{name} is missing")
    if shape.is_tagged_union and len(value) != 1:
        yield Fault(path, f"exactly one of {', '.join(shape.members)} must be given")
    for name, item in value.items():
        if name in shape.members:
            yield from _faults(item, shape.members[name], f"{path}.{name}")
        else:
            yield Fault(f"{path}.{name}", f"{shape.name} has no field {name}{did_you_mean(name, shape.members)}")


def _list(value: Any, shape: ListShape, path: str) -> Iterator[Fault]:
    if not isinstance(value, list):
        yield _wrong_type(value, "a list", path)
        return
    if len(value) < shape.metadata.get("min", 0):
        yield Fault(path, f"at least {shape.metadata['min']} must be given, there are {len(value)}")
    for index, item in enumerate(value):
        yield from _faults(item, shape.member, f"{path}[{index}]")


def _map(value: Any, shape: MapShape, path: str) -> Iterator[Fault]:
    if not isinstance(value, dict):
        yield _wrong_type(value, "a map", path)
        return
    for name, item in value.items():
        yield from _faults(item, shape.value, f"{path}['{name}']")


def _scalar(value: Any, shape: Shape, path: str) -> Iterator[Fault]:
    wanted = SCALARS.get(shape.type_name)
    if wanted is None:
        return
    if not isinstance(value, wanted) or isinstance(value, bool) is not (shape.type_name == "boolean"):
        yield _wrong_type(value, f"of type {shape.type_name}", path)
        return
    least = shape.metadata.get("min")
    if least is None or shape.type_name in ("boolean", "timestamp"):
        return
    if isinstance(value, str) and len(value) < least:
        yield Fault(path, f"must have at least {least} characters; it is {value!r}")
    elif not isinstance(value, str) and value < least:
        yield Fault(path, f"must be at least {least}; it is {value}")


def _wrong_type(value: Any, wanted: str, path: str) -> Fault:
    text = repr(value)
    return Fault(path, f"must be {wanted}; it is {text if len(text) <= 60 else text[:57] + '...'}")
