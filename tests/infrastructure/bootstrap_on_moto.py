"""Sets every stack up on moto's CloudFormation, twice, and takes it down: a program, as moto patches its process.

Prints a JSON document: what was announced each time, the environment, and what each stack has.
"""

import json
from typing import Any

import boto3
from moto import mock_aws
from moto.cloudformation.models import CloudFormationBackend

from infrastructure.bootstrap import Bootstrap, describe_stack
from infrastructure.stacks import ORDER, Stage, environment_of
from infrastructure.teardown import Clients, bills, tear_down

GIVEN = {"SourceLocation": "https://github.com/o/r.git", "NotifyEmail": "a@b.c"}
REGION = "us-east-1"
# moto's CloudFormation has neither builds of CodeBuild nor domains of Studio, which these two refer to.
SUPPORTED = tuple(kind for kind in ORDER if kind not in ("deployment", "studio", "query"))


def client(service: str) -> Any:
    make: Any = boto3.client
    return make(service, region_name=REGION, aws_access_key_id="a", aws_secret_access_key="b")


def with_outputs() -> None:
    """moto leaves the outputs of a stack that a change set makes as they were before."""
    execute = CloudFormationBackend.execute_change_set

    def executed(self: Any, change_set_name: str, stack_name: str | None = None) -> None:
        execute(self, change_set_name, stack_name)
        for stack in self.stacks.values():
            stack._parse_template()
            stack.output_map = stack._create_output_map()

    CloudFormationBackend.execute_change_set = executed  # type: ignore[method-assign]


def main() -> None:
    with_outputs()
    with mock_aws():
        cloudformation = client("cloudformation")
        stage = Stage("house-prices", "dev", GIVEN, SUPPORTED)
        said: dict[str, list[str]] = {name: [] for name in ("plan", "apply", "again", "down")}

        def work(name: str) -> Bootstrap:
            return Bootstrap(cloudformation, client("s3"), stage, said[name].append, poll_seconds=0.01)

        work("plan").plan()
        left_by_plan = [stack.name for stack in stage.stacks if describe_stack(cloudformation, stack.name)]
        outputs = work("apply").apply()
        work("again").apply()
        resources = {
            stack.kind: sorted(
                each["LogicalResourceId"]
                for each in cloudformation.describe_stack_resources(StackName=stack.name)["StackResources"]
                if "LogicalResourceId" in each  # of the types that moto has
            )
            for stack in stage.stacks
        }
        clients = Clients(cloudformation, client("sagemaker"))
        billed = [bill.what.split()[0] for bill in bills(clients, stage)]
        roles = sorted(each["RoleName"] for each in client("iam").list_roles()["Roles"])
        tear_down(clients, stage, said["down"].append, poll_seconds=0.01)
        left = [stack.name for stack in stage.stacks if describe_stack(cloudformation, stack.name)]
        environment = environment_of(outputs, stage.given)
    names = ("said", "environment", "resources", "billed", "roles", "left", "left_by_plan")
    values = (said, environment, resources, billed, roles, left, left_by_plan)
    print(json.dumps(dict(zip(names, values, strict=True))))


if __name__ == "__main__":
    main()
