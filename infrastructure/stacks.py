"""The stacks of a stage: which there are, in which order, and what each is given."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from infrastructure.errors import InfrastructureError
from infrastructure.function_code import archive_key
from infrastructure.template import FOLDER, read_template

STAGES = FOLDER / "stages.yaml"
REQUIRED_FOR = {
    "build": "SourceLocation",
    "deployment": "SourceLocation",
    "studio": "StudioVpcId",
    "budget": "NotifyEmail",
}
QUERY = "query"  # the stack that a YAML with a query has, and no stage names
ORDER = ("storage", "roles", QUERY, "build", "deployment", "monitoring", "studio", "budget")
TO_CHOOSE = tuple(kind for kind in ORDER if kind != QUERY)
# The outputs of the stacks, as the environment of the command lines.
VARIABLES = {
    "ExecutionRoleArn": "SAGEMAKER_ROLE_ARN",
    "ServingRoleArn": "SAGEMAKER_SERVING_ROLE_ARN",
    "RemovalRoleArn": "SAGEMAKER_REMOVAL_ROLE_ARN",
    "BucketName": "SAGEMAKER_BUCKET",
    "KmsKeyArn": "SAGEMAKER_KMS_KEY",
    "MonitoringFunctions": "SAGEMAKER_MONITORING_FUNCTIONS",
}
LISTS = {"SubnetIds": "SAGEMAKER_SUBNETS", "SecurityGroupIds": "SAGEMAKER_SECURITY_GROUP_IDS"}
OF_AN_EARLIER_STACK = "The output of "  # how the description of such a parameter begins
LONGEST_NAME = 38


@dataclass(frozen=True)
class Stack:
    """One stack of a stage: `kind` is the name of its template."""

    kind: str
    project: str
    stage: str

    @property
    def name(self) -> str:
        """Such as house-prices-dev-roles."""
        return f"{self.project}-{self.stage}-{self.kind}"

    @property
    def path(self) -> Path:
        """Its template."""
        return FOLDER / f"{self.kind}.yaml"

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters that the template declares."""
        declared: dict[str, Any] = read_template(self.path)["Parameters"]
        return declared


@dataclass(frozen=True)
class Stage:
    """A stage of stages.yaml: its stacks, and what they are given."""

    project: str
    name: str
    given: Mapping[str, str]
    kinds: tuple[str, ...]

    @property
    def stacks(self) -> list[Stack]:
        """The stacks in the order in which they need each other."""
        return [Stack(kind, self.project, self.name) for kind in ORDER if kind in self.kinds]

    def parameters(self, stack: Stack, outputs: Mapping[str, str]) -> dict[str, str]:
        """What a stack is given: names, what the stage says, and the outputs of the stacks before it.

        InfrastructureError where a value is missing, with what it is for.
        """
        names = {"ProjectName": self.project, "Stage": self.name, "CodeKey": archive_key(self.project)}
        known = {**outputs, **self.given, **names}
        if known.get("SubnetIds"):
            known["UsesVpc"] = "true"
        missing = [
            name for name, declared in stack.parameters.items() if name not in known and "Default" not in declared
        ]
        if missing:
            texts = [f"{name} ({stack.parameters[name].get('Description', 'no description')})" for name in missing]
            raise InfrastructureError(
                f"The stack {stack.name} lacks {'; '.join(texts)}: set it under stages.{self.name} of {STAGES.name}."
            )
        return {name: known[name] for name in stack.parameters if name in known}


def read_stage(project: str, name: str, path: Path = STAGES, query: Mapping[str, str] | None = None) -> Stage:
    """A stage of stages.yaml; InfrastructureError where there is none, or where it says what no stack takes.

    `query` are the parameters of the stack QUERY, which the stage has with them alone.
    """
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    stages = document.get("stages", {})
    if name not in stages:
        raise InfrastructureError(f"There is no stage {name} in {path.name}: it has {', '.join(stages) or 'none'}.")
    if len(project) > LONGEST_NAME:
        raise InfrastructureError(
            f"The name {project} is longer than {LONGEST_NAME} characters, the limit for names of roles."
        )
    chosen = dict(stages[name] or {})
    kinds = tuple(chosen.pop("stacks", TO_CHOOSE))
    unknown = [kind for kind in kinds if kind not in TO_CHOOSE]
    known = {parameter for kind in TO_CHOOSE for parameter in Stack(kind, project, name).parameters}
    unknown += [key for key in chosen if key not in known]
    if unknown:
        raise InfrastructureError(
            f"stages.{name} of {path.name} has {', '.join(unknown)}, which no stack takes: "
            f"stacks are {', '.join(TO_CHOOSE)}; values are the parameters of their templates."
        )
    given = {key: ",".join(map(str, value)) if isinstance(value, list) else str(value) for key, value in chosen.items()}
    given = {key: value for key, value in given.items() if value}
    return Stage(project, name, {**given, **(query or {})}, (*kinds, QUERY) if query else kinds)


def environment_of(outputs: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """The environment of both command lines, from the outputs of the stacks."""
    found = {variable: outputs[name] for name, variable in VARIABLES.items() if outputs.get(name)}
    return found | {variable: given[name] for name, variable in LISTS.items() if given.get(name)}


def template_body(stack: Stack) -> str:
    """A template as the API takes it."""
    return stack.path.read_text(encoding="utf-8")


def as_parameters(values: Mapping[str, str]) -> list[dict[str, str]]:
    """Parameters in the shape of CloudFormation's requests."""
    return [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()]
