"""pause and resume: of a weighted shift only, refused with the reason elsewhere."""

from dataclasses import replace
from pathlib import Path

import pytest

from command_line import deployment as deploy_model
from deployment.history import ROLLED_BACK, Entry, History
from deployment.live_shift import LiveShift, control, live_shift, steer
from deployment.weighted import ABORTED, PAUSED, RUNS, TAG_CONTROL, TAG_FROM, TAG_TO
from tests.deployment.conftest import GROUP, Hosting

PROJECT = Path(deploy_model.__file__).parents[1]
ENDPOINT = f"{GROUP}-staging"


@pytest.fixture
def weighted(tmp_path: Path) -> str:
    """The settings with a stage whose versions are shifted to by weights."""
    text = (PROJECT / "pipelines/house_prices.yaml").read_text()
    alone = "staging: {instance_type: ml.m5.large, instance_count: 1"
    assert f"{alone}}}" in text
    shift = "deployment: {strategy: weighted, size_percent: 10, wait_seconds: 60}"
    config = tmp_path / "weighted.yaml"
    config.write_text(text.replace(f"{alone}}}", f"{alone}, {shift}}}"))
    return str(config)


def under_way(account: Hosting) -> LiveShift:
    """An endpoint that is half-way from version 1 to version 2."""
    sagemaker = account.sagemaker
    tags = {TAG_FROM: "before", TAG_TO: "after", "model-package-version": "2"}
    variants = [
        {"VariantName": name, "ModelName": name, "InitialVariantWeight": weight}
        for name, weight in (("AllTraffic", 0.5), ("Candidate", 0.5))
    ]
    sagemaker.create_endpoint_config(
        EndpointConfigName=f"{ENDPOINT}-v2-01234567-shift",
        ProductionVariants=variants,
        Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
    )
    sagemaker.create_endpoint(EndpointName=ENDPOINT, EndpointConfigName=f"{ENDPOINT}-v2-01234567-shift")
    found = live_shift(sagemaker, ENDPOINT)
    assert found is not None
    return found


@pytest.mark.e2e
def test_pause_and_resume_say_what_is_wanted_of_the_shift(
    account: Hosting, weighted: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shift = under_way(account)
    assert deploy_model.main(["--config", weighted, "pause", "--stage", "staging"]) == 0
    assert control(account.sagemaker, shift) == PAUSED
    said = capsys.readouterr().out
    assert f"The shift of {ENDPOINT} to version 2 is paused." in said
    assert "the alarms are still watched" not in said  # nobody holds the lock
    assert "Nobody watches its alarms: the process that did has ended. `" in said
    assert "deploy --model-package 2 --stage staging` watches them." in said
    assert deploy_model.main(["--config", weighted, "resume", "--stage", "staging"]) == 0
    assert control(account.sagemaker, shift) == RUNS
    said = capsys.readouterr().out
    assert f"The shift of {ENDPOINT} to version 2 goes on." in said
    assert "deploy --model-package 2 --stage staging` goes on with it" in said  # nobody holds the lock


@pytest.mark.e2e
@pytest.mark.parametrize("follow", [(), ("--follow",)])
def test_status_says_that_a_shift_is_paused_and_that_nobody_takes_its_steps(
    account: Hosting, weighted: str, follow: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    shift = under_way(account)
    arn = account.register()
    history = History(account.aws.client("s3"), "houses", GROUP, ENDPOINT)
    history.write(Entry(ENDPOINT, "staging", "deploy", 2, arn, None, "ada", "weighted", "2026-11-28T05:00:00+00:00"))
    status = ["--config", weighted, "status", *follow]
    assert deploy_model.main(status) == 0
    said = capsys.readouterr().out
    assert said.count("was cut off: `deploy` of the same version goes on with it.") == 1
    assert "paused" not in said
    steer(account.sagemaker, shift, PAUSED)
    assert deploy_model.main(status) == 0
    said = capsys.readouterr().out
    assert "was paused by `pause` and was cut off: `deploy` of the same version goes on with it, after `" in said
    assert "resume --stage staging`." in said


def test_the_history_shows_the_first_line_of_a_reason(
    account: Hosting, weighted: str, capsys: pytest.CaptureFixture[str]
) -> None:
    history = History(account.aws.client("s3"), "houses", GROUP, ENDPOINT)
    entry = Entry(ENDPOINT, "staging", "deploy", 2, "arn", None, "ada", "canary", "2026-11-28T05:00:00+00:00")
    history.write(replace(entry, outcome=ROLLED_BACK, reason="It does not load:\nTraceback", ended=entry.began))
    assert deploy_model.main(["--config", weighted, "status", "--follow"]) == 0
    said = capsys.readouterr().out
    assert "rolled back: It does not load:" in said
    assert "Traceback" not in said


def test_what_is_aborted_is_neither_paused_nor_resumed(
    account: Hosting, weighted: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shift = under_way(account)
    account.tags[shift.arn][TAG_CONTROL] = ABORTED
    for command in ("pause", "resume"):
        assert deploy_model.main(["--config", weighted, command, "--stage", "staging"]) == 1
        assert f"was aborted and is being taken back: it cannot {command}" in capsys.readouterr().err
    assert control(account.sagemaker, shift) == ABORTED


@pytest.mark.parametrize("command", ["pause", "resume"])
def test_another_strategy_is_refused_with_the_reason(
    account: Hosting, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert deploy_model.main([command, "--stage", "production"]) == 1
    assert (
        f"No shift of {GROUP}-production is under way, and the strategy of production is canary: SageMaker takes its "
        f"steps and has no operation that pauses them, so {command} is of the strategy weighted only."
    ) in capsys.readouterr().err


def test_an_update_of_sagemaker_itself_is_not_paused(
    account: Hosting, weighted: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert deploy_model.main(["--config", weighted, "pause", "--stage", "staging"]) == 1
    assert f"No shift of {ENDPOINT} is under way: there is nothing to pause." in capsys.readouterr().err
    account.aws.answers["DescribeEndpoint"] = lambda _: {
        "EndpointName": ENDPOINT,
        "EndpointArn": "arn:aws:sagemaker:eu-west-1:123456789012:endpoint/x",
        "EndpointStatus": "Updating",
        "EndpointConfigName": "before",
        "PendingDeploymentSummary": {"EndpointConfigName": "after"},
    }
    assert deploy_model.main(["pause", "--stage", "staging"]) == 1
    assert f"SageMaker itself updates {ENDPOINT}, and the strategy of staging is all_at_once" in capsys.readouterr().err
