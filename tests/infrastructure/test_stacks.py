"""What the stacks of a stage are given, and what they give."""

from pathlib import Path

import pytest

from infrastructure.errors import InfrastructureError
from infrastructure.stacks import ORDER, Stack, environment_of, read_stage
from infrastructure.template import read_template

REPOSITORY = "SourceLocation: https://github.com/o/r.git"

QUERIED = {"QueryDatabase": "houses", "QueryFiles": "arn:aws:s3:::lake/houses/*,arn:aws:s3:::lake/zips/*"}


def stages(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "stages.yaml"
    path.write_text("stages:\n  dev:\n" + "".join(f"    {line}\n" for line in lines))
    return path


def test_each_stack_needs_only_what_stands_before_it(tmp_path: Path) -> None:
    path = stages(
        tmp_path, REPOSITORY, "NotifyEmail: a@b.c", "StudioVpcId: vpc-1", "StudioSubnetIds: [subnet-1, subnet-2]"
    )
    stage, outputs = read_stage("house-prices", "dev", path, QUERIED), dict[str, str]()
    assert [stack.kind for stack in stage.stacks] == list(ORDER)
    for stack in stage.stacks:
        given = stage.parameters(stack, outputs)
        assert given["ProjectName"] == "house-prices"
        outputs |= dict.fromkeys(read_template(stack.path)["Outputs"], "x")
    assert stage.parameters(stage.stacks[6], outputs)["StudioSubnetIds"] == "subnet-1,subnet-2"


def test_subnets_of_the_jobs_tell_the_roles_that_there_is_a_network(tmp_path: Path) -> None:
    stage = read_stage("house-prices", "dev", stages(tmp_path, REPOSITORY, "SubnetIds: [subnet-1]"))
    roles = Stack("roles", "house-prices", "dev")
    assert stage.parameters(roles, {"BucketName": "b"})["UsesVpc"] == "true"
    without = read_stage("house-prices", "dev", stages(tmp_path, REPOSITORY))
    assert "UsesVpc" not in without.parameters(roles, {"BucketName": "b"})


def test_only_a_yaml_with_a_query_has_the_stack_that_lets_the_jobs_ask_it(tmp_path: Path) -> None:
    path = stages(tmp_path, REPOSITORY, "stacks: [storage, roles]")
    assert [stack.kind for stack in read_stage("house-prices", "dev", path).stacks] == ["storage", "roles"]
    asking = read_stage("house-prices", "dev", path, QUERIED)
    assert [stack.kind for stack in asking.stacks] == ["storage", "roles", "query"]
    names = {"ProjectName": "house-prices", "Stage": "dev", "BucketName": "b"}
    assert asking.parameters(asking.stacks[2], {"BucketName": "b"}) == {**names, **QUERIED}


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["stacks: [storage, rolls]"], "stages.dev of stages.yaml has rolls, which no stack takes"),
        (["stacks: [storage, query]"], "stages.dev of stages.yaml has query, which no stack takes"),
        (["SourceLoc: x"], "stages.dev of stages.yaml has SourceLoc, which no stack takes"),
    ],
)
def test_what_no_stack_takes_is_refused(tmp_path: Path, lines: list[str], said: str) -> None:
    with pytest.raises(InfrastructureError) as caught:
        read_stage("house-prices", "dev", stages(tmp_path, *lines))
    assert str(caught.value).startswith(said)


def test_a_missing_value_is_named_with_what_it_is_for(tmp_path: Path) -> None:
    stage = read_stage("house-prices", "dev", stages(tmp_path, "stacks: [budget]"))
    with pytest.raises(InfrastructureError, match=r"house-prices-dev-budget lacks NotifyEmail \(Who is told"):
        stage.parameters(stage.stacks[0], {})


def test_a_stage_or_a_name_that_cannot_be_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InfrastructureError, match="There is no stage prod in"):
        read_stage("house-prices", "prod", stages(tmp_path, REPOSITORY))
    with pytest.raises(InfrastructureError, match="longer than 38 characters"):
        read_stage("h" * 39, "dev", stages(tmp_path, REPOSITORY))
    read_stage("h" * 38, "dev", stages(tmp_path, REPOSITORY))


def test_the_projects_own_stages_can_be_read() -> None:
    for name in ("dev", "staging", "production"):
        assert read_stage("house-prices", name).stacks


def test_the_outputs_are_the_environment_of_both_command_lines() -> None:
    roles = {"ExecutionRoleArn": "e", "ServingRoleArn": "s", "RemovalRoleArn": "r"}
    outputs = {"BucketName": "b", **roles, "KmsKeyArn": "k", "StudioUrl": "u"}
    assert environment_of(outputs, {"SubnetIds": "subnet-1,subnet-2"}) == {
        "SAGEMAKER_BUCKET": "b",
        "SAGEMAKER_ROLE_ARN": "e",
        "SAGEMAKER_SERVING_ROLE_ARN": "s",
        "SAGEMAKER_REMOVAL_ROLE_ARN": "r",
        "SAGEMAKER_KMS_KEY": "k",
        "SAGEMAKER_SUBNETS": "subnet-1,subnet-2",
    }
