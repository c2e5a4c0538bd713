"""`check` compares the roles of infrastructure/roles.yaml with what the steps do, and with what each role did."""

from dataclasses import replace
from pathlib import Path

import pytest

from command_line.permission_check import permission_faults, query_parameters
from infrastructure.roles import ROLES
from pipelines.checks.fault import Fault
from pipelines.definition.compilation import compile_pipeline
from pipelines.settings.environment import Environment
from pipelines.settings.query_settings import QuerySettings
from pipelines.settings.settings import default_config, load_settings

pytestmark = pytest.mark.e2e

SETTINGS, ENVIRONMENT = load_settings(default_config()), Environment.from_env({})
SECURED = replace(ENVIRONMENT, kms_key="1234", subnets=("subnet-1",), security_group_ids=("sg-1",))


@pytest.fixture(scope="module")
def compiled() -> str:
    return compile_pipeline(SETTINGS, SECURED).definition


def faults(text: str, template: Path = ROLES, environment: Environment = SECURED) -> list[Fault]:
    return list(permission_faults(text, "house-prices", environment, template))


def test_the_roles_may_do_all_that_is_asked_of_them_with_a_key_and_a_network_too(compiled: str) -> None:
    assert faults(compiled) == []
    assert faults(compile_pipeline(SETTINGS, ENVIRONMENT).definition, environment=ENVIRONMENT) == []


def test_a_query_needs_what_bootstrap_gives_to_a_yaml_with_one() -> None:
    query = QuerySettings(sql="SELECT 1", database="houses", reads=["s3://lake/houses/sales", "s3://lake/zips/"])
    text = compile_pipeline(SETTINGS.model_copy(update={"query": query}), SECURED).definition
    assert list(permission_faults(text, "house-prices", SECURED, query=query)) == []
    lacking = list(permission_faults(text, "house-prices", SECURED))
    assert {fault.step for fault in lacking} == {"ValidateData"}
    assert "add athena:StartQueryExecution to the policies of ExecutionRole" in [fault.fix for fault in lacking]
    given = query_parameters(query, "aws-cn")
    assert given["QueryFiles"] == "arn:aws-cn:s3:::lake/houses/sales/*,arn:aws-cn:s3:::lake/zips/*"
    assert (given["QueryBuckets"], given["QueryPrefixes"]) == ("arn:aws-cn:s3:::lake", "houses/sales*,zips*")
    assert query_parameters(None) == {}


def changed(tmp_path: Path, old: str, new: str = "", after: str = "") -> Path:
    """The template with one of its texts replaced, the first after another text."""
    path, text = tmp_path / "roles.yaml", ROLES.read_text()
    start = text.index(after)
    assert old in text[start:]
    path.write_text(text[:start] + text[start:].replace(old, new, 1 if after else -1))
    return path


def test_what_the_jobs_role_lacks_is_named_for_each_step_that_needs_it(compiled: str, tmp_path: Path) -> None:
    found = faults(compiled, changed(tmp_path, '                  - "sagemaker:CreateTrainingJob"\n'))
    assert [fault.step for fault in found] == ["Train"]
    assert "ExecutionRole of" in found[0].message
    assert "may not do sagemaker:CreateTrainingJob on arn:aws:sagemaker:us-east-1:000000000000:" in found[0].message
    assert found[0].fix == "add sagemaker:CreateTrainingJob to the policies of ExecutionRole"
    writing = '["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"]'
    steps = {fault.step for fault in faults(compiled, changed(tmp_path, writing, '"s3:GetObject"'))}
    assert steps >= {"ValidateData", "Preprocess", "Train", "Evaluate"}


@pytest.mark.parametrize(
    ("old", "new", "role", "action"),
    [
        ('              - "sagemaker:DeleteEndpoint"\n', "", "DeployRole", "sagemaker:DeleteEndpoint"),
        ('              - "sagemaker:StartPipelineExecution"\n', "", "BuildRole", "sagemaker:StartPipelineExecution"),
        (
            '              - "sagemaker:ListPipelineExecutions"\n',
            "",
            "ApproverRole",
            "sagemaker:ListPipelineExecutions",
        ),
    ],
)
def test_what_another_role_lacks_is_named_with_what_needs_it(
    compiled: str, tmp_path: Path, old: str, new: str, role: str, action: str
) -> None:
    found = [fault for fault in faults(compiled, changed(tmp_path, old, new)) if f"the role {role} of" in fault.message]
    assert found
    assert all(fault.step is None and action in fault.message and ", which " in fault.message for fault in found)


def test_the_grant_that_creating_an_endpoint_needs_is_missed(compiled: str, tmp_path: Path) -> None:
    """The fault that no call names: SageMaker makes the grant in the name of who creates the endpoint."""
    template = changed(tmp_path, '"kms:CreateGrant"', '"kms:DescribeKey"', after="  Deploying:\n")
    roles = {fault.message.split()[2] for fault in faults(compiled, template) if "kms:CreateGrant" in fault.message}
    assert "DeployRole" in roles
