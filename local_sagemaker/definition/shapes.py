"""What AWS's own API model says of a step: the request that its Arguments are, the response that its properties are."""

from collections.abc import Callable, Iterator
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from local_sagemaker.definition.expressions import is_expression
from local_sagemaker.definition.faults import Fault, did_you_mean, shown
from local_sagemaker.wire.model import service_model
from local_sagemaker.wire.shapes import Broken, MapKey, Path, broken_rules

# The resource that a step of each type makes, and the field of its name.
RESOURCES = {
    "Processing": ("ProcessingJob", "ProcessingJobName"),
    "Training": ("TrainingJob", "TrainingJobName"),
    "Transform": ("TransformJob", "TransformJobName"),
    "Tuning": ("HyperParameterTuningJob", "HyperParameterTuningJobName"),
    "Model": ("Model", "ModelName"),
    "RegisterModel": ("ModelPackage", "ModelPackageName"),
    "EndpointConfig": ("EndpointConfig", "EndpointConfigName"),
    "Endpoint": ("Endpoint", "EndpointName"),
}
# What a step's properties hold beside the Describe response.
ALSO_LISTED = {"Tuning": "ListTrainingJobsForHyperParameterTuningJob"}
SIZED = (str, list, dict)
# What a value of each kind is called in a message; a reference is of one of these kinds, or of none that is known.
KINDS = {
    "string": "text",
    "integer": "number",
    "long": "number",
    "float": "number",
    "double": "number",
    "boolean": "boolean",
    "list": "list",
    "map": "map",
    "structure": "structure",
}
KindOf = Callable[[dict[str, Any]], str | None]


def argument_faults(step_type: str, arguments: dict[str, Any], path: str, kind_of: KindOf) -> Iterator[Fault]:
    """What the Create operation of a step's type would refuse in its arguments; nothing for types not in RESOURCES.

    Types, required fields, minimums (what botocore refuses as well) and enumerations are faults. Maximums, patterns
    and instance types are marked `only_on_aws`. `kind_of` says of what kind an expression is.
    """
    if step_type not in RESOURCES:
        return
    resource, name = RESOURCES[step_type]
    shape = service_model().operation_model(f"Create{resource}").input_shape
    # The service names the resource, and runs a step without a role with the role of the pipeline:
    # https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-access.html
    given = frozenset({name, "RoleArn"})
    wrong: list[Fault] = []

    def expression(value: Any, inner: Shape, where: Path) -> bool:
        if not is_expression(value):
            return False
        kind, wanted = kind_of(value), KINDS.get(inner.type_name)
        if kind is not None and wanted is not None and kind != wanted:
            wrong.append(Fault(_located(path, where), f"is a {kind}, and must be a {wanted}{_remedy(kind, wanted)}"))
        return True

    for broken in broken_rules(arguments, shape, aside=expression, given=given):
        yield from wrong
        wrong.clear()
        yield _fault(broken, path)
    yield from wrong


def property_kind(step_type: str, tokens: list[str | int]) -> str | None:
    """The kind of a property of a step, one of the values of KINDS; None where it is not known."""
    shape: Shape | None = _response(step_type, tokens)[1] if step_type in RESOURCES else None
    for token in tokens:
        shape = _inner(shape, token) if shape is not None else None
    return KINDS.get(shape.type_name) if shape is not None else None


def property_fault(step_type: str, tokens: list[str | int]) -> str | None:
    """Why the Describe response of a step's type cannot have these properties; None where it can, or is not known."""
    if step_type not in RESOURCES:
        return None
    walked, response = _response(step_type, tokens)
    shape: Shape = response
    for token in tokens:
        inner = _inner(shape, token)
        if inner is None:
            members = shape.members if isinstance(shape, StructureShape) else ()
            return f"{walked} has no property {token}{did_you_mean(token, members)}"
        shape, walked = inner, f"{walked}[{token}]" if isinstance(shape, ListShape) else f"{walked}.{token}"
    return None


def _response(step_type: str, tokens: list[str | int]) -> tuple[str, StructureShape]:
    """The operation whose response holds a property of a step, and the shape of that response."""
    operation = ALSO_LISTED.get(step_type, "")
    if operation:
        listed = service_model().operation_model(operation).output_shape
        if tokens and tokens[0] in listed.members and tokens[0] != "NextToken":
            return operation, listed
    operation = f"Describe{RESOURCES[step_type][0]}"
    return operation, service_model().operation_model(operation).output_shape


def _inner(shape: Shape, token: str | int) -> Shape | None:
    if isinstance(shape, StructureShape):
        return shape.members.get(token)
    if isinstance(shape, MapShape):
        return shape.value
    return shape.member if isinstance(shape, ListShape) else None


def _remedy(kind: str, wanted: str) -> str:
    return ": join it to a text with Std:Join (to_string() in the SDK)" if (kind, wanted) == ("number", "text") else ""


def _fault(broken: Broken, path: str) -> Fault:
    """A rule that the arguments break, told to the reader of a definition; what AWS alone asks for is marked."""
    where, shape, value = _located(path, broken.path), broken.shape, broken.value
    entries = "" if isinstance(value, str) else " entries"
    if broken.rule == "missing":
        return Fault(where, f"{broken.name} is missing")
    if broken.rule == "unknown":
        return Fault(where, f"{shape.name} has no field {broken.name}{did_you_mean(broken.name, _members(shape))}")
    if broken.rule == "union":
        return Fault(where, f"exactly one of {', '.join(_members(shape))} must be given")
    if broken.rule == "type":
        return Fault(where, f"must be {broken.wanted}; it is {shown(value)}")
    if broken.rule == "choice":
        return _choice(value, shape, where)
    if broken.rule == "pattern":
        return Fault(where, f"AWS accepts only what matches {broken.name}; it is {shown(value)}", only_on_aws=True)
    if broken.rule == "most":
        many = (
            f"{entries or ' characters'}, there are {broken.size}" if isinstance(value, SIZED) else f"; it is {value}"
        )
        return Fault(where, f"AWS allows at most {broken.limit}{many}", only_on_aws=True)
    if isinstance(value, str):
        return Fault(where, f"must have at least {broken.limit} characters; it is {shown(value)}")
    if isinstance(value, SIZED):
        return Fault(where, f"at least {broken.limit} must be given; there are {broken.size}")
    return Fault(where, f"must be at least {broken.limit}; it is {value}")


def _located(start: str, path: Path) -> str:
    for part in path:
        if isinstance(part, MapKey):
            start += f"['{part.key}']"
        else:
            start += f"[{part}]" if isinstance(part, int) else f".{part}"
    return start


def _members(shape: Shape) -> tuple[str, ...]:
    return tuple(shape.members) if isinstance(shape, StructureShape) else ()


def _choice(value: str, shape: Shape, path: str) -> Fault:
    message = f"{shown(value)} is not one of the values of {shape.name}"
    if shape.name.endswith("InstanceType"):  # AWS adds types all the time, and this machine has none of them
        return Fault(path, f"{message} that botocore knows{did_you_mean(value, shape.enum)}", only_on_aws=True)
    return Fault(path, message + (did_you_mean(value, shape.enum) or f"; they are {', '.join(shape.enum)}"))
