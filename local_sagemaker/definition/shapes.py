"""What AWS's own API model says of a step: the request that its Arguments are, the response that its properties are."""

from collections.abc import Callable, Iterator
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from local_sagemaker.definition.expressions import is_expression
from local_sagemaker.definition.faults import Fault, did_you_mean
from local_sagemaker.wire.model import compiled_pattern, service_model

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
SCALARS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
    "timestamp": (str, int, float),
}


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
    yield from Request(kind_of).structure(arguments, shape, path, frozenset({name, "RoleArn"}))


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


class Request:
    """Walks a request along its shape; `kind_of` says of what kind an expression in it is."""

    def __init__(self, kind_of: KindOf) -> None:
        self._kind_of = kind_of

    def structure(self, value: Any, shape: StructureShape, path: str, filled_in: frozenset[str]) -> Iterator[Fault]:
        """The faults of a structure whose members in `filled_in` the service gives."""
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
                yield from self._value(item, shape.members[name], f"{path}.{name}")
            else:
                yield Fault(f"{path}.{name}", f"{shape.name} has no field {name}{did_you_mean(name, shape.members)}")

    def _value(self, value: Any, shape: Shape, path: str) -> Iterator[Fault]:
        if is_expression(value):
            kind, wanted = self._kind_of(value), KINDS.get(shape.type_name)
            if kind is not None and wanted is not None and kind != wanted:
                yield Fault(path, f"is a {kind}, and must be a {wanted}{_remedy(kind, wanted)}")
        elif isinstance(shape, StructureShape):
            yield from self.structure(value, shape, path, frozenset())
        elif isinstance(shape, ListShape):
            yield from self._list(value, shape, path)
        elif isinstance(shape, MapShape):
            yield from self._map(value, shape, path)
        else:
            yield from _scalar(value, shape, path)

    def _list(self, value: Any, shape: ListShape, path: str) -> Iterator[Fault]:
        if not isinstance(value, list):
            yield _wrong_type(value, "a list", path)
            return
        yield from _size(len(value), shape, path, "entries")
        for index, item in enumerate(value):
            yield from self._value(item, shape.member, f"{path}[{index}]")

    def _map(self, value: Any, shape: MapShape, path: str) -> Iterator[Fault]:
        if not isinstance(value, dict):
            yield _wrong_type(value, "a map", path)
            return
        yield from _size(len(value), shape, path, "entries")
        for name, item in value.items():
            yield from _scalar(name, shape.key, f"{path}['{name}']")
            yield from self._value(item, shape.value, f"{path}['{name}']")


def _remedy(kind: str, wanted: str) -> str:
    return ": join it to a text with Std:Join (to_string() in the SDK)" if (kind, wanted) == ("number", "text") else ""


def _scalar(value: Any, shape: Shape, path: str) -> Iterator[Fault]:
    wanted = SCALARS.get(shape.type_name)
    if wanted is None:
        return
    if not isinstance(value, wanted) or isinstance(value, bool) is not (shape.type_name == "boolean"):
        yield _wrong_type(value, f"of type {shape.type_name}", path)
    elif shape.type_name == "string":
        yield from _text(str(value), shape, path)
    elif shape.type_name not in ("boolean", "timestamp"):
        yield from _number(value, shape, path)


def _number(value: Any, shape: Shape, path: str) -> Iterator[Fault]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and value < least:
        yield Fault(path, f"must be at least {least}; it is {value}")
    if most is not None and value > most:
        yield Fault(path, f"AWS takes at most {most}; it is {value}", only_on_aws=True)


def _text(value: str, shape: Shape, path: str) -> Iterator[Fault]:
    if shape.enum:
        yield from _choice(value, shape, path)
        return
    if len(value) < shape.metadata.get("min", 0):
        yield Fault(path, f"must have at least {shape.metadata['min']} characters; it is {value!r}")
        return
    yield from _size(len(value), shape, path, "characters")
    pattern = compiled_pattern(shape.metadata.get("pattern"))
    if pattern is not None and not pattern.fullmatch(value):
        yield Fault(path, f"AWS takes what matches {pattern.pattern}; it is {_shown(value)}", only_on_aws=True)


def _choice(value: str, shape: Shape, path: str) -> Iterator[Fault]:
    if value in shape.enum:
        return
    message = f"{_shown(value)} is not one of the values of {shape.name}"
    if shape.name.endswith("InstanceType"):  # AWS adds types all the time, and this machine has none of them
        yield Fault(path, f"{message} that botocore knows{did_you_mean(value, shape.enum)}", only_on_aws=True)
    else:
        yield Fault(path, message + (did_you_mean(value, shape.enum) or f"; they are {', '.join(shape.enum)}"))


def _size(size: int, shape: Shape, path: str, what: str) -> Iterator[Fault]:
    least, most = shape.metadata.get("min", 0), shape.metadata.get("max")
    if size < least and what == "entries":
        yield Fault(path, f"at least {least} must be given, there are {size}")
    if most is not None and size > most:
        yield Fault(path, f"AWS takes at most {most} {what}, there are {size}", only_on_aws=True)


def _wrong_type(value: Any, wanted: str, path: str) -> Fault:
    return Fault(path, f"must be {wanted}; it is {_shown(value)}")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
