"""CloudWatch Logs of jobs, through a real client, also while the job runs."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_sagemaker.api.logs import Logs
from local_sagemaker.hosting.endpoint_logs import EndpointLogs
from local_sagemaker.metrics.store import MetricStore
from local_sagemaker.processes.log_events import LogFile, LogStream
from local_sagemaker.state.database import Database
from local_sagemaker.state.records import Records
from local_sagemaker.targets.target_logs import TargetLogs
from local_sagemaker.wire.dispatch import Caller
from tests.local_sagemaker.conftest import CLUSTER, processing

GROUP = "/aws/sagemaker/ProcessingJobs"
Wait = Callable[[Callable[[], bool]], None]


@pytest.fixture(name="logs", scope="module")
def logs_fixture(server: Any) -> Any:
    return server.client("logs")


def messages(response: dict[str, Any]) -> list[str]:
    return [event["message"] for event in response["events"]]


def run(sagemaker: Any, wait_until: Wait, name: str, script: str, hosts: int = 1) -> None:
    """A processing job that runs a shell script, to its end."""
    resources = {"ClusterConfig": {**CLUSTER, "InstanceCount": hosts}}
    sagemaker.create_processing_job(ProcessingJobName=name, **processing(script) | {"ProcessingResources": resources})
    wait_until(lambda: sagemaker.describe_processing_job(ProcessingJobName=name)["ProcessingJobStatus"] == "Completed")


def stream_names(logs: Any, **request: Any) -> list[str]:
    return [each["logStreamName"] for each in logs.describe_log_streams(logGroupName=GROUP, **request)["logStreams"]]


@pytest.fixture(name="numbers", scope="module")
def numbers_fixture(sagemaker: Any, logs: Any) -> str:
    """The stream of a job that has said 1 to 9."""
    name = "says-numbers"
    sagemaker.create_processing_job(ProcessingJobName=name, **processing("seq 1 9"))
    deadline = time.monotonic() + 30
    while sagemaker.describe_processing_job(ProcessingJobName=name)["ProcessingJobStatus"] != "Completed":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return stream_names(logs, logStreamNamePrefix=f"{name}/")[0]


def test_a_running_job_s_lines_arrive_as_it_writes_them(
    sagemaker: Any, logs: Any, numbers: str, tmp_path: Path, wait_until: Wait
) -> None:
    release = tmp_path / "release"
    script = f"echo one; while [ ! -e '{release}' ]; do sleep 0.05; done; echo two"
    job = sagemaker.create_processing_job(ProcessingJobName="says-two", **processing(script))
    assert job["ProcessingJobArn"]
    wait_until(lambda: "says-two/" in " ".join(stream_names(logs, logStreamNamePrefix="says-two/")))
    [stream] = stream_names(logs, logStreamNamePrefix="says-two/")
    request = {"logGroupName": GROUP, "logStreamName": stream, "startFromHead": True}
    first = logs.get_log_events(**request)
    assert messages(first) == ["one"]
    nothing = logs.get_log_events(**request, nextToken=first["nextForwardToken"])
    assert (messages(nothing), nothing["nextForwardToken"]) == ([], first["nextForwardToken"])
    release.touch()
    wait_until(lambda: messages(logs.get_log_events(**request, nextToken=first["nextForwardToken"])) == ["two"])
    [one, two] = logs.get_log_events(**request)["events"]
    described = sagemaker.describe_processing_job(ProcessingJobName="says-two")
    assert described["CreationTime"].timestamp() * 1000 <= one["timestamp"] < two["timestamp"]


def test_pages_go_forward_from_the_head_and_backward_from_the_end(logs: Any, numbers: str) -> None:
    request = {"logGroupName": GROUP, "logStreamName": numbers, "limit": 4}
    page = logs.get_log_events(**request, startFromHead=True)
    assert messages(page) == ["1", "2", "3", "4"]
    assert messages(logs.get_log_events(**request, nextToken=page["nextForwardToken"])) == ["5", "6", "7", "8"]
    page = logs.get_log_events(**request)
    assert messages(page) == ["6", "7", "8", "9"]
    page = logs.get_log_events(**request, nextToken=page["nextBackwardToken"])
    assert messages(page) == ["2", "3", "4", "5"]
    page = logs.get_log_events(**request, nextToken=page["nextBackwardToken"])
    assert messages(page) == ["1"]
    end = logs.get_log_events(**request, nextToken=page["nextBackwardToken"])
    assert (messages(end), end["nextBackwardToken"]) == ([], page["nextBackwardToken"])


def test_a_time_span_leaves_out_what_was_before_and_after(logs: Any, numbers: str) -> None:
    request = {"logGroupName": GROUP, "logStreamName": numbers, "startFromHead": True}
    moment = logs.get_log_events(**request)["events"][-1]["timestamp"]
    assert messages(logs.get_log_events(**request, startTime=moment + 1)) == []
    assert messages(logs.get_log_events(**request, endTime=moment + 1))[-1] == "9"


def test_filtering_pages_through_what_matches(logs: Any, numbers: str) -> None:
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=GROUP,
        logStreamNamePrefix="says-numbers/",
        filterPattern="?2 ?5 ?8",
        PaginationConfig={"PageSize": 2},
    )
    assert [messages(page) for page in pages] == [["2", "5"], ["8"]]


def test_each_host_has_a_stream_that_is_named_as_the_service_names_it(
    sagemaker: Any, logs: Any, wait_until: Wait
) -> None:
    run(sagemaker, wait_until, "says-who", "echo me", hosts=2)
    names = stream_names(logs, logStreamNamePrefix="says-who/")
    assert [name.rpartition("-")[0] for name in names] == ["says-who/algo-1", "says-who/algo-2"]
    assert all(name.rpartition("-")[2].isdecimal() for name in names)
    page = logs.describe_log_streams(logGroupName=GROUP, logStreamNamePrefix="says-who/", limit=1)
    assert [each["logStreamName"] for each in page["logStreams"]] == names[:1]
    assert stream_names(logs, logStreamNamePrefix="says-who/", nextToken=page["nextToken"]) == names[1:]
    last = stream_names(logs, orderBy="LastEventTime", descending=True, limit=50)
    assert set(names) <= set(last)


def test_what_does_not_exist_is_told_apart(logs: Any, numbers: str) -> None:
    with pytest.raises(ClientError, match=r"ResourceNotFoundException.*log stream does not exist"):
        logs.get_log_events(logGroupName=GROUP, logStreamName="nobody/algo-1-1")
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        logs.describe_log_streams(logGroupName="/aws/sagemaker/Endpoints/nobody")
    with pytest.raises(ClientError, match=r"InvalidParameterException.*nextToken"):
        logs.get_log_events(logGroupName=GROUP, logStreamName=numbers, nextToken="mine")


def test_other_groups_are_kept_as_ever_and_listed_beside(logs: Any, numbers: str) -> None:
    events = [{"timestamp": round(time.time() * 1000), "message": "m"}]
    logs.create_log_group(logGroupName="/mine")
    logs.create_log_stream(logGroupName="/mine", logStreamName="s")
    logs.put_log_events(logGroupName="/mine", logStreamName="s", logEvents=events)
    assert messages(logs.get_log_events(logGroupName="/mine", logStreamName="s")) == ["m"]
    groups = {group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]}
    assert {"/mine", GROUP} <= groups


@pytest.fixture(name="long_log")
def long_log_fixture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Logs:
    """A log of 1,000 lines, of which one request looks at 100."""
    path = tmp_path / "output.log"
    path.write_text("".join(f"line {number:04d}\n" for number in range(1000)))
    monkeypatch.setattr("local_sagemaker.api.logs.SEARCHED_BYTES", 1000)
    stream = LogStream("stream", LogFile(path), ended=True)
    endpoints, targets = EndpointLogs(tmp_path / "endpoints"), TargetLogs(tmp_path)
    records, store = Records(Database(tmp_path / "state.db")), MetricStore(time.time)
    return Logs({"group": lambda prefix: [stream]}, endpoints, targets, records, store)


def ask(logs: Logs, operation: str, **request: Any) -> dict[str, Any]:
    answer = logs.call(operation, {"logGroupName": "group", **request}, Caller("000000000000", "us-east-1"))
    assert answer is not None
    return answer


def test_filtering_a_long_log_answers_before_it_has_looked_at_all_of_it_and_goes_on(long_log: Logs) -> None:
    found, pages, token = [], 0, None
    while True:
        request = {"nextToken": token} if token else {}
        answer = ask(long_log, "FilterLogEvents", filterPattern="0999", **request)
        found += messages(answer)
        pages += 1
        token = answer.get("nextToken")
        if token is None:
            break
    assert found == ["line 0999"]
    assert 9 < pages < 12


def test_reading_a_time_span_of_a_long_log_goes_on_from_where_it_stopped(long_log: Logs) -> None:
    request = {"logStreamName": "stream", "startFromHead": True, "startTime": 1 << 60}
    tokens = [""]
    while True:
        token = {"nextToken": tokens[-1]} if tokens[-1] else {}
        answer = ask(long_log, "GetLogEvents", **request, **token)
        assert answer["events"] == []
        if answer["nextForwardToken"] == tokens[-1]:
            break
        tokens.append(answer["nextForwardToken"])
    assert 9 < len(tokens) < 13
