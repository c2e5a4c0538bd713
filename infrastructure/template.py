"""CloudFormation templates as data: read, and with their functions worked out.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent
NO_VALUE = "AWS::NoValue"
VARIABLE = re.compile(r"\$\{([^}!]+)\}")


class _Missing:
    """What stands in the place of AWS::NoValue, until it is left out."""


MISSING = _Missing()


def read_template(path: Path) -> dict[str, Any]:
    """A CloudFormation template; its short forms (!Sub, !GetAtt, ...) as the long ones."""
    return _parsed(path.read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Resolved:
    """A template whose parameters have values.

    `values` are parameters, pseudo parameters (AWS::Region) and what resources are known by, `Name` or
    `Name.Attribute`; a parameter that is not there has its default. What is not known stays as ${Name}.
    """

    template: Mapping[str, Any]
    values: Mapping[str, Any]

    @cached_property
    def resources(self) -> dict[str, Any]:
        """Type and properties of each resource whose condition holds."""
        return {
            name: {"Type": resource["Type"], "Properties": self.value(resource.get("Properties", {}))}
            for name, resource in self.template["Resources"].items()
            if "Condition" not in resource or self.condition(resource["Condition"])
        }

    def condition(self, name: str) -> bool:
        """Whether a condition of the template holds."""
        return bool(self.value(self.template["Conditions"][name]))

    def value(self, value: Any) -> Any:
        """A value with its functions worked out; None where it has none."""
        found = self._value(value)
        return None if found is MISSING else found

    def _value(self, value: Any) -> Any:
        if isinstance(value, list):
            return [item for item in map(self._value, value) if item is not MISSING]
        if not isinstance(value, Mapping):
            return value
        if len(value) == 1:
            ((name, inner),) = value.items()
            if name == "Ref":
                return MISSING if inner == NO_VALUE else self._named(inner)
            if name == "Condition" and isinstance(inner, str):
                return self.condition(inner)
            if name.startswith("Fn::"):
                return self._function(name.removeprefix("Fn::"), inner)
        found = {key: self._value(item) for key, item in value.items()}
        return {key: item for key, item in found.items() if item is not MISSING}

    def _function(self, name: str, inner: Any) -> Any:
        if name == "If":
            return self._value(inner[1] if self.condition(inner[0]) else inner[2])
        if name == "GetAtt":
            return self._named(".".join(inner))
        if name == "Sub":
            return VARIABLE.sub(lambda found: str(self._named(found[1])), str(inner)).replace("${!", "${")
        arguments = self._value(inner)
        if name == "Join":
            return str(arguments[0]).join(map(str, arguments[1]))
        if name == "Select":
            return arguments[1][int(arguments[0])]
        if name == "Split":
            return str(arguments[1]).split(arguments[0])
        decided: dict[str, Callable[[], bool]] = {
            "Equals": lambda: arguments[0] == arguments[1],
            "Not": lambda: not arguments[0],
            "And": lambda: all(arguments),
            "Or": lambda: any(arguments),
        }
        if name not in decided:
            raise ValueError(f"Fn::{name} is not worked out here: add it to infrastructure/template.py.")
        return decided[name]()

    def _named(self, name: str) -> Any:
        if name in self.values:
            return self.values[name]
        parameter = self.template.get("Parameters", {}).get(name, {})
        if "Default" not in parameter:
            return f"${{{name}}}"
        default = parameter["Default"]
        return str(default).split(",") if parameter["Type"] == "CommaDelimitedList" else default


@cache
def _parsed(text: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe one
    return document


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # the C one where there is libyaml
    """Reads `!Name value` as {"Fn::Name": value}; !Ref and !Condition as {"Ref": value} and {"Condition": value}."""


def _short_form(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> Any:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".")
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_form)
