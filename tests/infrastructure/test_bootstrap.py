"""An account set up and removed: on moto's CloudFormation as far as it goes, and what goes wrong on a stub."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infrastructure.bootstrap import Bootstrap, outputs_of_stage
from infrastructure.errors import InfrastructureError
from infrastructure.stacks import Stage

ROOT = Path(__file__).parents[2]
STAGE = Stage("house-prices", "dev", {}, ("storage",))


@pytest.mark.e2e
def test_a_stage_is_set_up_once_stays_as_it_is_and_is_removed() -> None:
    program = [sys.executable, "-W", "ignore", str(Path(__file__).with_name("bootstrap_on_moto.py"))]
    done = subprocess.run(program, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["said"]["plan"][0] == "house-prices-dev-storage is new:"
    assert "  Add     Bucket (AWS::S3::Bucket)" in found["said"]["plan"]
    assert "  Add     ApproverRole (AWS::IAM::Role)" in found["said"]["plan"]
    assert not any("PushRule" in line or "DeployingElsewhere" in line for line in found["said"]["plan"])  # conditional
    assert found["left_by_plan"] == []  # a dry run leaves nothing
    assert found["said"]["again"] == [f"house-prices-dev-{kind}: nothing changes" for kind in found["resources"]]
    assert {"Key", "KeyAlias", "Bucket"} <= set(found["resources"]["storage"])
    assert "house-prices-dev-data-scientist" in found["roles"]
    assert set(found["environment"]) == {
        "SAGEMAKER_ROLE_ARN",
        "SAGEMAKER_SERVING_ROLE_ARN",
        "SAGEMAKER_REMOVAL_ROLE_ARN",
        "SAGEMAKER_BUCKET",
        "SAGEMAKER_KMS_KEY",
        "SAGEMAKER_MONITORING_FUNCTIONS",
    }
    assert found["billed"] == ["bucket", "key"]
    assert found["said"]["down"][0] == "Deleted stack house-prices-dev-budget"
    assert found["left"] == []


class Stacks:
    """A CloudFormation with stacks in states, each with an output named after it."""

    def __init__(self, states: dict[str, str]) -> None:
        self._states = states

    def describe_stacks(self, StackName: str) -> dict[str, Any]:
        if StackName not in self._states:
            fault = {"Error": {"Code": "ValidationError", "Message": f"Stack with id {StackName} does not exist"}}
            raise ClientError(fault, "DescribeStacks")  # type: ignore[arg-type]
        status = self._states[StackName]
        outputs = [{"OutputKey": StackName, "OutputValue": "x"}] if status.endswith("E_COMPLETE") else []
        return {"Stacks": [{"StackName": StackName, "StackStatus": status, "Outputs": outputs}]}


def test_the_stacks_of_a_stage_that_give_nothing_are_named() -> None:
    stage = Stage("house-prices", "dev", {}, ("storage", "roles", "build"))
    states = {"house-prices-dev-storage": "UPDATE_COMPLETE", "house-prices-dev-roles": "ROLLBACK_COMPLETE"}
    outputs, lacking = outputs_of_stage(Stacks(states), stage)
    assert outputs == {"house-prices-dev-storage": "x"}
    assert lacking == [
        "the stack house-prices-dev-roles is in ROLLBACK_COMPLETE",
        "the stack house-prices-dev-build is not set up",
    ]
    assert outputs_of_stage(Stacks({}), stage) == (
        {},
        [f"the stack {each.name} is not set up" for each in stage.stacks],
    )


class Stub:
    """A CloudFormation with one stack in a state, whose change sets end as told."""

    def __init__(self, status: str, change_set: dict[str, Any] | None = None) -> None:
        self._status = status
        self._change_set = change_set or {}

    def describe_stacks(self, StackName: str) -> dict[str, Any]:
        return {"Stacks": [{"StackName": StackName, "StackStatus": self._status, "StackStatusReason": "Bucket exists"}]}

    def create_change_set(self, **request: Any) -> None:
        assert request["ChangeSetType"] == "UPDATE"

    def describe_change_set(self, **request: Any) -> dict[str, Any]:
        return self._change_set

    def delete_change_set(self, **request: Any) -> None:
        """Forget it."""


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED"])
def test_a_stack_that_no_update_leads_out_of_is_named_with_the_way_out(status: str) -> None:
    with pytest.raises(InfrastructureError) as caught:
        Bootstrap(Stub(status), None, STAGE, print).apply()
    assert str(caught.value) == (
        f"The stack house-prices-dev-storage is in {status} (Bucket exists): delete it with `aws cloudformation "
        "delete-stack --stack-name house-prices-dev-storage`, fix what it names, and run this again."
    )


def test_a_stack_with_resources_in_use_is_not_to_be_deleted_but_brought_back() -> None:
    with pytest.raises(InfrastructureError) as caught:
        Bootstrap(Stub("UPDATE_ROLLBACK_FAILED"), None, STAGE, print).apply()
    said = str(caught.value)
    assert said.startswith("The stack house-prices-dev-storage is in UPDATE_ROLLBACK_FAILED (Bucket exists): fix")
    assert "continue-update-rollback --stack-name house-prices-dev-storage`" in said
    assert "delete-stack" not in said


@pytest.mark.parametrize("status", ["UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS"])
def test_a_stack_that_something_else_changes_is_left_alone(status: str) -> None:
    with pytest.raises(InfrastructureError, match=f"is in {status}: something else is changing it"):
        Bootstrap(Stub(status), None, STAGE, print).apply()


def test_a_change_set_without_changes_is_quiet_and_one_that_fails_says_why() -> None:
    said: list[str] = []
    reason = "The submitted information didn't contain changes. Submit different information to create a change set."
    Bootstrap(Stub("CREATE_COMPLETE", {"Status": "FAILED", "StatusReason": reason}), None, STAGE, said.append).apply()
    assert said == ["house-prices-dev-storage: nothing changes"]
    failed = Stub("CREATE_COMPLETE", {"Status": "FAILED", "StatusReason": "Template format error."})
    with pytest.raises(InfrastructureError, match="house-prices-dev-storage cannot be changed: Template format error"):
        Bootstrap(failed, None, STAGE, said.append).apply()
