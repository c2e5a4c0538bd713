"""Walks a definition: its parameters, its steps, and what each asks of AWS, to every list and every value."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

# The request that the arguments of a step of each type are.
OPERATIONS = {
    "Processing": "CreateProcessingJob",
    "Training": "CreateTrainingJob",
    "Transform": "CreateTransformJob",
    "Tuning": "CreateHyperParameterTuningJob",
    "Model": "CreateModel",
    "RegisterModel": "CreateModelPackage",
}
BRANCHES = {"Condition": ("IfSteps", "ElseSteps"), "ForEach": ("ForEachBody",)}


@dataclass(frozen=True)
class Step:
    """A step where it stands in the definition."""

    name: str
    type: str
    path: str
    raw: Mapping[str, Any]

    @property
    def arguments(self) -> dict[str, Any]:
        """Its arguments without the steps inside it."""
        arguments = self.raw.get("Arguments")
        inner = BRANCHES.get(self.type, ())
        return {k: v for k, v in arguments.items() if k not in inner} if isinstance(arguments, Mapping) else {}


@dataclass(frozen=True)
class Value:
    """A value of a request, a mapping's key among them, and the shape that AWS gives it."""

    step: Step
    path: str
    value: Any
    shape: Any


def parameters(definition: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """The path and the entry of each parameter; what is not a structure is passed over."""
    listed = definition.get("Parameters")
    entries = enumerate(listed) if isinstance(listed, list) else ()
    return [(f"Parameters[{index}]", entry) for index, entry in entries if isinstance(entry, Mapping)]


def steps(definition: Mapping[str, Any]) -> Iterator[Step]:
    """Every step, those of the branches after the condition; what is not a step is passed over."""

    def inside(entries: Any, path: str) -> Iterator[Step]:
        for index, raw in enumerate(entries if isinstance(entries, list) else ()):
            if isinstance(raw, Mapping) and isinstance(raw.get("Name"), str) and isinstance(raw.get("Type"), str):
                step = Step(raw["Name"], raw["Type"], f"{path}[{index}]", raw)
                yield step
                arguments = raw.get("Arguments")
                inner: Mapping[str, Any] = arguments if isinstance(arguments, Mapping) else {}
                for branch in BRANCHES.get(step.type, ()):
                    yield from inside(inner.get(branch), f"{step.path}.Arguments.{branch}")

    yield from inside(definition.get("Steps"), "Steps")


def step_names(definition: Mapping[str, Any]) -> list[str]:
    """The steps of a definition in its order, those of a condition's branches after the condition."""
    return [step.name for step in steps(definition)]


def values(step: Step) -> Iterator[Value]:
    """Each list and each scalar of a step's request; nothing for types whose request AWS does not describe."""
    if step.type in OPERATIONS:
        shape = service_model().operation_model(OPERATIONS[step.type]).input_shape
        yield from _values(step, step.arguments, shape, f"{step.path}.Arguments")


@cache
def service_model() -> Any:
    """botocore's model of SageMaker (0.06 s to read)."""
    from botocore.loaders import Loader
    from botocore.model import ServiceModel

    return ServiceModel(Loader().load_service_model("sagemaker", "service-2"), "sagemaker")


def is_expression(value: Any) -> bool:
    """Whether a value is known only to an execution."""
    return isinstance(value, Mapping) and len(value) == 1 and next(iter(value)) in ("Get", "Std:Join", "Std:JsonGet")


def _values(step: Step, value: Any, shape: Any, path: str) -> Iterator[Value]:
    kind = shape.type_name
    if is_expression(value) or kind not in ("structure", "list", "map"):
        yield Value(step, path, value, shape)
    elif kind == "structure" and isinstance(value, Mapping):
        for name, item in value.items():
            if name in shape.members:
                yield from _values(step, item, shape.members[name], f"{path}.{name}")
    elif kind == "list" and isinstance(value, list):
        yield Value(step, path, value, shape)
        for index, item in enumerate(value):
            yield from _values(step, item, shape.member, f"{path}[{index}]")
    elif kind == "map" and isinstance(value, Mapping):
        for name, item in value.items():
            yield Value(step, f"{path}['{name}']", name, shape.key)
            yield from _values(step, item, shape.value, f"{path}['{name}']")
