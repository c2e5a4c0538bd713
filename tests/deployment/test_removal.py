"""An endpoint whose stage has remove_after is deleted by a schedule, which is never left over."""

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from command_line import deployment as deploy_model
from deployment.errors import DeploymentError
from deployment.removal import Removal
from tests.aws_stub import Refusal, StubAws
from tests.deployment.conftest import Hosting

pytestmark = pytest.mark.e2e

PROJECT = Path(__file__).parents[2]
ROLE = "arn:aws:iam::123456789012:role/house-prices-dev-removal"
ENDPOINT = "house-prices-staging"
NOW = datetime.now(timezone.utc)


@pytest.fixture(autouse=True)
def _no_schedules(aws: StubAws) -> None:
    aws.schedules.clear()
    aws.answers.clear()
    aws.calls.clear()


def removal(aws: StubAws, after: timedelta | None = timedelta(hours=8), **fields: Any) -> Removal:
    return Removal(aws.client("scheduler"), ENDPOINT, after, **{"role_arn": ROLE, **fields})


def set_now(leaving: Removal, stay: timedelta) -> datetime:
    """Set it, and see that it goes `stay` from now on; a schedule knows whole seconds."""
    second = timedelta(seconds=1)
    before = datetime.now(timezone.utc)
    when = leaving.set()
    assert when is not None
    assert before + stay - second < when < datetime.now(timezone.utc) + stay + second
    return when


def test_the_schedule_deletes_just_this_endpoint_once_and_then_goes(aws: StubAws) -> None:
    when = set_now(removal(aws), timedelta(hours=8))
    (request,) = aws.asked("CreateSchedule")
    assert request["ScheduleExpression"] == when.strftime("at(%Y-%m-%dT%H:%M:%S)")
    assert request["ScheduleExpressionTimezone"] == "UTC"
    assert request["ActionAfterCompletion"] == "DELETE"
    assert request["Target"] == {
        "Arn": "arn:aws:scheduler:::aws-sdk:sagemaker:deleteEndpoint",
        "RoleArn": ROLE,
        "Input": json.dumps({"EndpointName": ENDPOINT}),
    }


def test_setting_it_again_puts_it_off(aws: StubAws) -> None:
    removal(aws, timedelta(minutes=5)).set()
    removal(aws).set()
    assert len(aws.asked("CreateSchedule")) == len(aws.asked("UpdateSchedule")) == 1
    when = removal(aws).when()
    assert when is not None
    assert when - NOW > timedelta(hours=7)


def test_a_stage_that_is_not_to_be_removed_any_more_loses_its_schedule(aws: StubAws) -> None:
    removal(aws).set()
    assert removal(aws, None).set() is None
    assert aws.schedules == {}
    assert removal(aws, None).set() is None  # and there is nothing to lose
    assert len(aws.asked("DeleteSchedule")) == 1


def test_the_time_passes_faster_where_the_server_says_so(aws: StubAws) -> None:
    set_now(removal(aws, timedelta(hours=1), time_scale=60), timedelta(minutes=1))


@pytest.mark.parametrize("change", [{"ScheduleExpression": "rate(1 day)"}, {"State": "DISABLED"}])
def test_a_schedule_that_deletes_nothing_at_a_moment_says_no_moment(aws: StubAws, change: dict[str, str]) -> None:
    removal(aws).set()
    aws.schedules[ENDPOINT] |= change
    assert removal(aws).when() is None


def test_the_partition_is_that_of_the_role(aws: StubAws) -> None:
    removal(aws, role_arn=ROLE.replace("arn:aws:", "arn:aws-cn:")).set()
    assert aws.asked("CreateSchedule")[0]["Target"]["Arn"].startswith("arn:aws-cn:scheduler:::")


def test_without_a_role_nothing_is_scheduled_and_the_variable_is_named(aws: StubAws) -> None:
    with pytest.raises(DeploymentError, match="Set SAGEMAKER_REMOVAL_ROLE_ARN"):
        removal(aws, role_arn=None).set()
    assert removal(aws, None, role_arn=None).set() is None  # a stage that stays needs none


def test_another_refusal_is_raised(aws: StubAws) -> None:
    def denied(_: Any) -> Any:
        raise Refusal("AccessDeniedException", "no", 403)

    aws.answers["GetSchedule"] = denied
    with pytest.raises(ClientError, match="AccessDenied"):
        removal(aws).when()


@pytest.fixture
def leaving(account: Hosting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """`deploy` of version 1 to a stage that removes itself after 8 hours."""
    monkeypatch.setenv("SAGEMAKER_REMOVAL_ROLE_ARN", ROLE)
    alone = "staging: {instance_type: ml.m5.large, instance_count: 1"
    text = (PROJECT / "pipelines/house_prices.yaml").read_text()
    config = tmp_path / "leaving.yaml"
    config.write_text(text.replace(f"{alone}}}", f"{alone}, remove_after: 8 hours}}"))
    account.register()
    return ["--config", str(config), "deploy", "--model-package", "1", "--stage", "staging"]


def order(account: Hosting) -> list[str]:
    wanted = ("CreateSchedule", "UpdateSchedule", "DeleteSchedule", "CreateEndpoint")
    return [name for name, _ in account.aws.calls if name in wanted]


def test_what_is_deployed_is_scheduled_to_go_before_it_is_made_and_put_off_once_it_serves(
    account: Hosting, leaving: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert deploy_model.main(leaving) == 0
    assert order(account) == ["CreateSchedule", "CreateEndpoint", "UpdateSchedule"]
    assert f"{ENDPOINT} removes itself" in capsys.readouterr().out
    assert deploy_model.main(leaving) == 0  # which changes nothing else
    assert order(account)[3:] == ["UpdateSchedule", "UpdateSchedule"]
    capsys.readouterr()
    assert deploy_model.main([*leaving[:2], "status", "--stage", "staging"]) == 0
    assert f"{ENDPOINT} removes itself" in capsys.readouterr().out
    assert deploy_model.main([*leaving[:2], "status", "--stage", "staging", "--json"]) == 0
    moment = datetime.fromisoformat(json.loads(capsys.readouterr().out)[0]["removes_itself"])
    assert timedelta(hours=7) < moment - NOW < timedelta(hours=9)


def test_a_plan_has_the_request_of_the_schedule_and_sends_none(
    account: Hosting, leaving: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert deploy_model.main([*leaving, "--plan"]) == 0
    said = capsys.readouterr().out
    assert "CreateSchedule: " in said
    assert "It removes itself 8 hours after its last deployment." in said
    assert order(account) == []


def test_a_failed_first_deployment_leaves_no_schedule(account: Hosting, leaving: list[str], tmp_path: Path) -> None:
    sample = tmp_path / "bad.json"
    sample.write_text("[]")
    account.aws.models.clear()
    assert deploy_model.main([*leaving, "--sample", str(sample)]) == 1
    assert "CreateEndpoint" in order(account)
    assert account.aws.schedules == {}


def test_a_stage_without_remove_after_takes_the_schedule_away_before_it_deploys(
    account: Hosting, leaving: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Otherwise what is deployed to stay would go with what was there before."""
    assert deploy_model.main(leaving) == 0
    account.register()
    capsys.readouterr()
    assert deploy_model.main(["deploy", "--model-package", "2", "--stage", "staging"]) == 0
    assert account.aws.schedules == {}
    assert "removes itself" not in capsys.readouterr().out


def test_where_nothing_may_be_scheduled_nothing_is_deployed(
    account: Hosting, leaving: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    def denied(_: Any) -> Any:
        raise Refusal("AccessDeniedException", "not authorized", 403)

    account.aws.answers["CreateSchedule"] = denied
    assert deploy_model.main(leaving) == 1
    assert "may not call scheduler:CreateSchedule" in capsys.readouterr().err
    assert account.aws.asked("CreateModel") == []


def test_who_may_not_ask_for_the_schedule_is_told_so_and_sees_the_rest(
    account: Hosting, leaving: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    def denied(_: Any) -> Any:
        raise Refusal("AccessDeniedException", "not authorized", 403)

    assert deploy_model.main(leaving) == 0
    account.aws.answers["GetSchedule"] = denied
    capsys.readouterr()
    assert deploy_model.main(["status", "--stage", "staging"]) == 0
    printed = capsys.readouterr()
    assert "InService" in printed.out
    assert f"note: whether {ENDPOINT} removes itself is not known" in printed.err
