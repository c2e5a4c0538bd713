"""An approval deploys, a rejection takes back: the rule of the stack, and the build that the command line registers."""

import json
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deployment.weighted import percent_of
from tests.conftest import BUCKET, LocalServer, kill
from tests.end_to_end.conftest import ROOT
from tests.end_to_end.small_versions import register_version

pytestmark = pytest.mark.e2e
PACKAGE = "arn:aws:sagemaker:us-east-1:000000000000:model-package/house-prices/{}"
GROUP, ENDPOINT = "house-prices", "house-prices-staging"


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A server whose registry has three versions that nobody has decided over."""
    server = LocalServer(tmp_path_factory.mktemp("approvals"))
    server.up()
    server.client("s3").create_bucket(Bucket=BUCKET)
    for number in range(1, 4):
        register_version(
            server.client("sagemaker"),
            server.client("s3"),
            GROUP,
            f"v{number}",
            approval="PendingManualApproval",
            load="import time; time.sleep(1)",
        )
    yield server
    server.down()


@pytest.fixture(scope="module")
def work(account: LocalServer, make_cli: Callable[[Any], Any]) -> Any:
    return make_cli(account)


def decide(account: LocalServer, version: int, status: str) -> None:
    account.client("sagemaker").update_model_package(
        ModelPackageArn=PACKAGE.format(version), ModelApprovalStatus=status
    )


def serving(account: LocalServer) -> str:
    body = b'{"instances": [{"x": 1}]}'
    answer = account.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=ENDPOINT, Body=body, ContentType="application/json"
    )
    return str(json.loads(answer["Body"].read())["model"])


def builds_ended(account: LocalServer, count: int) -> list[str]:
    """The logs of the builds, oldest first, once so many have ended."""
    logs = account.client("logs")
    deadline = time.monotonic() + 60
    while True:
        events = logs.filter_log_events(logGroupName="/aws/codebuild/house-prices-local-deploy")["events"]
        ended = [event["logStreamName"] for event in events if "ended with exit code" in event["message"]]
        if len(ended) >= count:
            texts: dict[str, str] = {}
            for event in events:
                texts[event["logStreamName"]] = f"{texts.get(event['logStreamName'], '')}{event['message']}\n"
            return list(texts.values())
        assert time.monotonic() < deadline, events
        time.sleep(0.1)


def test_the_approval_deploys_and_deploy_of_the_same_version_follows(account: LocalServer, work: Any) -> None:
    said = work.pipeline("approve", "1", "--comment", "looks right").stdout
    assert "Its deployment to staging has started. Watch: " in said
    assert "status --follow" in said
    deployed = work.deploy("deploy", "--latest-approved", "--stage", "staging").stdout
    assert re.search(r"house-prices-staging (already )?serves version 1 ", deployed), deployed  # whoever was faster
    assert serving(account) == "v1"
    builds_ended(account, 1)
    configs = account.client("sagemaker").list_endpoint_configs()["EndpointConfigs"]
    assert len(configs) == 1
    decide(account, 2, "Approved")  # as from Studio
    followed = work.deploy("status", "--follow").stdout
    assert re.search(r" deploy +2 .* serves$|deployment of version 2 to staging, .*: serves\.$", followed, re.MULTILINE)
    assert serving(account) == "v2"
    builds_ended(account, 2)
    assert "serves version 2" in work.deploy("logs", "--stage", "staging").stdout


def test_an_older_version_approved_later_and_changed_metadata_deploy_nothing(account: LocalServer) -> None:
    before = len(builds_ended(account, 2))
    decide(account, 1, "Rejected")
    decide(account, 1, "Approved")
    account.client("sagemaker").update_model_package(
        ModelPackageArn=PACKAGE.format(1), CustomerMetadataProperties={"seen": "yes"}
    )
    logs = builds_ended(account, before + 2)
    assert len(logs) == before + 2
    withdrawn = [log for log in logs if "does not serve version 1: nothing to do" in log or "is Approved by now" in log]
    assert len(withdrawn) == 1
    assert sum("version 2 is newer and approved" in log for log in logs) == 1
    assert serving(account) == "v2"


def test_a_rejected_version_leaves_its_stage_and_its_old_event_does_not_bring_it_back(
    account: LocalServer, work: Any
) -> None:
    before = len(builds_ended(account, 4))
    said = work.pipeline("reject", "2", "--comment", "prices of 1999").stdout
    assert "The return of the stages that serve it has started." in said
    assert "serves version 1 again" in builds_ended(account, before + 1)[-1]
    assert serving(account) == "v1"
    late = ("deploy", "--model-package", PACKAGE.format(2), "--stage", "staging", "--approved-at")
    assert "Rejected by now: nothing is deployed" in work.deploy(*late, "2026-01-01T00:00:00Z").stdout
    account.client("events").disable_rule(Name="house-prices-local-approved")
    decide(account, 2, "Approved")
    assert "this approval was acted on at " in work.deploy(*late, "2026-01-01T00:00:00Z").stdout
    assert serving(account) == "v1"


def test_where_nothing_else_is_approved_a_rejected_version_is_left_with_the_reason(
    account: LocalServer, work: Any
) -> None:
    decide(account, 2, "Rejected")
    decide(account, 1, "Rejected")
    left = work.deploy("withdraw", "--model-package", "1", expect=1).stderr
    assert "A version that is not approved is still serving. staging: Endpoint house-prices-staging serves " in left
    assert "has no earlier configuration to return to" in left
    assert serving(account) == "v1"


def test_a_killed_server_goes_on_with_the_deployment_after_its_restart(account: LocalServer, work: Any) -> None:
    before = len(builds_ended(account, 5))
    account.client("events").enable_rule(Name="house-prices-local-approved")
    decide(account, 3, "Approved")
    deadline = time.monotonic() + 30
    sagemaker = account.client("sagemaker")
    while sagemaker.describe_endpoint(EndpointName=ENDPOINT)["EndpointStatus"] != "Updating":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    kill(account.up().pid)
    account.up()
    log = builds_ended(account, before + 1)[-1]
    assert "started again (2 of 3)" in log
    assert log.rstrip().endswith("exit code 0.")
    assert serving(account) == "v3"
    entries = [line.split() for line in work.deploy("status", "--follow").stdout.splitlines() if " deploy " in line]
    assert [entry[4] for entry in entries].count("3") == 1  # one entry, gone on with
    assert entries[0][-1] == "serves"


def wait_for_share(account: LocalServer, percent: int, deploying: subprocess.Popen[bytes]) -> None:
    """Until the shift that the process drives has brought so many of the requests to the new version."""
    sagemaker, deadline = account.client("sagemaker"), time.monotonic() + 120
    while percent_of(sagemaker.describe_endpoint(EndpointName=ENDPOINT)) != percent:
        assert deploying.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_shift_is_paused_resumed_and_aborted_from_elsewhere_after_both_processes_were_killed(
    account: LocalServer, work: Any, tmp_path: Path
) -> None:
    text = (ROOT / "pipelines" / "house_prices.yaml").read_text()
    alone = "staging: {instance_type: ml.m5.large, instance_count: 1"
    assert f"{alone}}}" in text
    configs = {}
    for seconds in (1, 3600):
        shift = f"{alone}, deployment: {{strategy: weighted, size_percent: 50, wait_seconds: {seconds}}}}}"
        configs[seconds] = tmp_path / f"{seconds}.yaml"
        configs[seconds].write_text(text.replace(f"{alone}}}", shift))
    stage = ("--stage", "staging")

    def weighted(*arguments: str, wait: int = 3600) -> Any:
        return work.deploy("--config", str(configs[wait]), *arguments, *stage)

    def cut_off(version: int, *, paused: bool) -> None:
        deploy = ("--config", str(configs[3600]), "deploy", "--model-package", str(version), *stage)
        command = work.command("deploy_model.py", *deploy)
        with subprocess.Popen(command, cwd=work.folder, env=work.environment, stdout=subprocess.DEVNULL) as deploying:
            wait_for_share(account, 50, deploying)
            if paused:
                assert "and the alarms are still watched" in weighted("pause").stdout
            kill(account.up().pid)
            deploying.kill()
        account.up()
        account.client("sagemaker").get_waiter("endpoint_in_service").wait(
            EndpointName=ENDPOINT, WaiterConfig={"Delay": 1, "MaxAttempts": 120}
        )

    account.client("events").disable_rule(Name="house-prices-local-approved")  # no build comes between
    register_version(account.client("sagemaker"), account.client("s3"), GROUP, "v4")
    cut_off(4, paused=True)
    assert "was paused by `pause` and was cut off" in weighted("status").stdout
    assert "Nobody takes its steps" in weighted("resume").stdout
    assert "version 4 (updated)" in weighted("deploy", "--model-package", "4", wait=1).stdout
    assert serving(account) == "v4"
    cut_off(3, paused=False)
    assert "was rolled back" in weighted("abort").stdout
    assert {serving(account) for _ in range(5)} == {"v4"}
