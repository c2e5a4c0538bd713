"""The rule of the stack on local SageMaker, and the command that stands for its build."""

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from command_line.approval_rule import ApprovalRule
from local_sagemaker.targets.registrations import registered
from pipelines.settings.settings import default_config, load_settings


@pytest.fixture
def rule() -> ApprovalRule:
    return ApprovalRule(load_settings(default_config()), Path("mine.yaml"), "us-east-1")


def test_the_rule_is_that_of_the_stack_and_its_build_a_command(
    rule: ApprovalRule, server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAGEMAKER_BUCKET", "houses")
    monkeypatch.setenv("SAGEMAKER_LOCAL_ROLE", "house-prices-dev-approver")
    events = server.client("events")
    rule.put(events, tmp_path, 5599)
    try:
        made = events.describe_rule(Name="house-prices-local-approved")
        assert json.loads(made["EventPattern"])["detail"]["ModelPackageGroupName"] == ["house-prices"]
        (target,) = events.list_targets_by_rule(Rule="house-prices-local-approved")["Targets"]
        assert target["Arn"] == rule.build_arn
        command = registered(tmp_path, rule.build_arn)
        assert command is not None
        assert command.words[-2:] == ("--config", str(Path("mine.yaml").absolute()))
        assert command.environment["STAGE"] == "staging"
        assert command.environment["SAGEMAKER_BUCKET"] == "houses"
        assert "SAGEMAKER_LOCAL_ROLE" not in command.environment  # the build is not who approves
        rule.disable(events)
        assert events.describe_rule(Name="house-prices-local-approved")["State"] == "DISABLED"
    finally:
        events.remove_targets(Rule="house-prices-local-approved", Ids=["deploy"])
        events.delete_rule(Name="house-prices-local-approved")
    rule.disable(events)
    with pytest.raises(ClientError):
        events.describe_rule(Name="house-prices-local-approved")
