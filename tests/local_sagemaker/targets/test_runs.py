"""Targets of rules that run a command or a handler: logs, ends, and what a killed server does to them."""

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_sagemaker.errors import LocalSageMakerError
from local_sagemaker.targets.registrations import log_group, register, registered
from tests.conftest import kill

BUILD = "arn:aws:codebuild:us-east-1:000000000000:project/a-build"
FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:a-function"
ROLE = "arn:aws:iam::000000000000:role/events"


def rule(server: Any, target: str, name: str = "rule") -> None:
    """A rule that sends events of the source `mine` to a target, with the environment variable WHAT."""
    events = server.client("events")
    events.put_rule(Name=name, EventPattern=json.dumps({"source": ["mine"], "detail-type": [name]}))
    template = '{"environmentVariablesOverride": [{"name": "WHAT", "value": <what>}]}'
    transformer = {"InputPathsMap": {"what": "$.detail.what"}, "InputTemplate": template}
    events.put_targets(
        Rule=name, Targets=[{"Id": "1", "Arn": target, "RoleArn": ROLE, "InputTransformer": transformer}]
    )


def send(server: Any, what: str, name: str = "rule") -> None:
    detail = json.dumps({"what": what})
    server.client("events").put_events(Entries=[{"Source": "mine", "DetailType": name, "Detail": detail}])


def log_of(server: Any, group: str, words: str) -> str:
    """The text of a log group, once it has the words."""
    deadline = time.monotonic() + 20
    text = ""
    while words not in text:
        assert time.monotonic() < deadline, text
        time.sleep(0.05)
        try:
            events = server.client("logs").filter_log_events(logGroupName=group)["events"]
        except ClientError:
            continue
        text = "\n".join(event["message"] for event in events)
    return text


def test_a_registered_command_runs_with_the_environment_of_the_event(server: Any, tmp_path: Path) -> None:
    script = 'echo "$WHAT for $STAGE in $PWD by $CODEBUILD_BUILD_ID"; cat; echo; exit 3'
    register(server.state, BUILD, ["sh", "-c", script], tmp_path, {"STAGE": "staging", "WHAT": "nothing"})
    rule(server, BUILD)
    send(server, "a version")
    text = log_of(server, "/aws/codebuild/a-build", "exit code 3")
    assert f"a version for staging in {tmp_path} by a-build:" in text
    assert '{"environmentVariablesOverride": [{"name": "WHAT", "value": "a version"}]}' in text.splitlines()[-2]
    groups = server.client("logs").describe_log_groups(logGroupNamePrefix="/aws/codebuild/")["logGroups"]
    assert [group["logGroupName"] for group in groups] == ["/aws/codebuild/a-build"]


def test_a_rule_that_is_disabled_starts_nothing_and_a_target_of_nobody_keeps_nobody(
    server: Any, tmp_path: Path
) -> None:
    marks = tmp_path / "marks"
    marks.mkdir()
    register(server.state, FUNCTION, ["sh", "-c", 'touch "$WHAT"'], marks, {})
    rule(server, FUNCTION, "switched")
    rule(server, FUNCTION.replace("a-function", "nobodys"), "lonely")
    send(server, "lonely", "lonely")
    server.client("events").disable_rule(Name="switched")
    send(server, "first", "switched")
    server.client("events").enable_rule(Name="switched")
    send(server, "second", "switched")
    log_of(server, "/aws/lambda/a-function", "exit code 0")
    assert [path.name for path in marks.iterdir()] == ["second"]


def test_a_command_that_is_not_there_is_said_in_its_log(server: Any, tmp_path: Path) -> None:
    arn = BUILD.replace("a-build", "absent")
    register(server.state, arn, ["no-such-command"], tmp_path, {})
    rule(server, arn, "absent")
    send(server, "x", "absent")
    assert "no-such-command cannot be started" in log_of(server, "/aws/codebuild/absent", "exit code 127")


def test_a_handler_of_the_users_file_goes_before_a_command(new_server: Callable[[], Any], tmp_path: Path) -> None:
    file = tmp_path / "handlers.py"
    file.write_text(
        f"def handler(event, context):\n    print('handled', event, context.function_name)\n\n"
        f"HANDLERS = {{{FUNCTION!r}: handler}}\n"
    )
    server = new_server()
    server.environment["SAGEMAKER_LOCAL_HANDLERS"] = str(file)
    server.up()
    register(server.state, FUNCTION, ["echo", "the command"], tmp_path, {})
    rule(server, FUNCTION)
    send(server, "x")
    text = log_of(server, "/aws/lambda/a-function", "It has returned.")
    assert "handled {'environmentVariablesOverride'" in text
    assert "a-function" in text
    assert "the command" not in text.replace("started by an event", "")


def test_what_ran_when_the_server_was_killed_is_started_again_and_given_up_in_the_end(
    new_server: Callable[[], Any], tmp_path: Path
) -> None:
    server = new_server()
    server.up()
    register(server.state, BUILD, ["sh", "-c", "echo $$ > pid; echo begun; sleep 60"], tmp_path, {})
    rule(server, BUILD)
    send(server, "x")
    for attempt in (1, 2, 3):
        begun = "begun" if attempt == 1 else f"started again ({attempt} of 3).\nbegun"
        log_of(server, "/aws/codebuild/a-build", begun)
        pid = int((tmp_path / "pid").read_text())
        kill(server.up().pid)
        deadline = time.monotonic() + 10
        while Path(f"/proc/{pid}").exists():  # it ends with the server
            assert time.monotonic() < deadline
            time.sleep(0.05)
        server.up()
    log_of(server, "/aws/codebuild/a-build", "The server ended 3 times while this ran: it is lost.")
    os.kill(server.up().pid, signal.SIGKILL)
    server.up()
    assert log_of(server, "/aws/codebuild/a-build", "it is lost.").count("it is lost") == 1


@pytest.mark.parametrize(
    ("arn", "group"),
    [
        (BUILD, "/aws/codebuild/a-build"),
        (f"{FUNCTION}:7", "/aws/lambda/a-function"),
        ("arn:aws:sqs:us-east-1:000000000000:queue", None),
        ("arn:aws:codebuild:us-east-1:000000000000:project/../../etc", None),
    ],
)
def test_only_builds_and_functions_are_run_and_their_names_lead_nowhere_else(arn: str, group: str | None) -> None:
    assert log_group(arn) == group


def test_a_command_replaces_the_one_before_and_stands_for_nothing_else(tmp_path: Path) -> None:
    register(tmp_path, BUILD, ["one"], tmp_path, {})
    register(tmp_path, BUILD, ["two"], tmp_path, {"A": "1"})
    found = registered(tmp_path, BUILD)
    assert found is not None
    assert (found.words, found.environment) == (("two",), {"A": "1"})
    assert registered(tmp_path, FUNCTION) is None
    with pytest.raises(LocalSageMakerError, match="neither a CodeBuild project nor a Lambda function"):
        register(tmp_path, "arn:aws:sqs:us-east-1:000000000000:queue", ["x"], tmp_path, {})
