"""Batch transform jobs through real model processes, from S3 to S3."""

import gzip
import json
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local_sagemaker.api.test_endpoints import make_model
from tests.local_sagemaker.conftest import Pipelines, step

DOUBLE = """
import os, time
calls = []
def model_fn(model_dir):
    return {word!r}
def transform_fn(model, body, content_type, accept):
    text = body.decode() if isinstance(body, bytes) else body
    calls.append(text)
    if "shaky" in text and len(calls) < 3:
        raise RuntimeError("not yet")
    if "bad" in text:
        from werkzeug import Response; return Response("no number: bad", 400, mimetype="text/plain")
    if "sleep" in text:
        print("sleeping", flush=True); time.sleep(600)
    if text.startswith("env"):
        return os.environ["OWN"] + os.environ["SAGEMAKER_BATCH"] + os.environ["SAGEMAKER_BATCH_STRATEGY"]
    lines = text.splitlines()
    if content_type == "text/csv":
        return "\\n".join(str(2 * sum(float(x) for x in line.split(",") if x)) for line in lines), "text/csv"
    return f"{len(lines)} lines as {content_type}", accept
"""


@pytest.fixture(scope="module")
def model(sagemaker: Any, s3: Any) -> str:
    """A model that doubles the sum of a CSV row."""
    return make_model(sagemaker, s3, "double", DOUBLE)


@pytest.fixture
def transform(sagemaker: Any, s3: Any, model: str, request: pytest.FixtureRequest) -> Callable[..., dict[str, Any]]:
    """Puts files, transforms them, and returns the description of the job at its end."""
    return partial(run, sagemaker, s3, model)


def run(
    sagemaker: Any, s3: Any, model: str, name: str, files: dict[str, bytes], wait: bool = True, **fields: Any
) -> dict[str, Any]:
    for key, body in files.items():
        s3.put_object(Bucket="test-bucket", Key=f"{name}/in/{key}", Body=body)
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://test-bucket/{name}/in/"}}
    sagemaker.create_transform_job(
        TransformJobName=name,
        ModelName=model,
        TransformInput={"DataSource": source, "ContentType": "text/csv", **fields.pop("TransformInput", {})},
        TransformOutput={"S3OutputPath": f"s3://test-bucket/{name}/out", **fields.pop("TransformOutput", {})},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
        **fields,
    )
    return finish(sagemaker, name) if wait else {}


def finish(sagemaker: Any, name: str) -> dict[str, Any]:
    deadline = time.monotonic() + 60
    while True:
        found: dict[str, Any] = sagemaker.describe_transform_job(TransformJobName=name)
        if found["TransformJobStatus"] not in ("InProgress", "Stopping"):
            return found
        assert time.monotonic() < deadline
        time.sleep(0.05)


def outputs(s3: Any, name: str) -> dict[str, bytes]:
    found = s3.list_objects_v2(Bucket="test-bucket", Prefix=f"{name}/out/").get("Contents", [])
    keys = [entry["Key"] for entry in found]
    return {
        key.removeprefix(f"{name}/out/"): s3.get_object(Bucket="test-bucket", Key=key)["Body"].read() for key in keys
    }


def test_csv_files_are_split_filtered_joined_and_stored_under_their_names(
    sagemaker: Any, s3: Any, transform: Callable[..., dict[str, Any]]
) -> None:
    job = transform(
        "joined",
        {"a.csv": b"id1,1,2\nid2,3,4\n", "deep/b.csv": b"id3,5,6"},
        TransformInput={"SplitType": "Line"},
        TransformOutput={"AssembleWith": "Line", "Accept": "text/csv"},
        DataProcessing={"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-1]"},
    )
    assert job["TransformJobStatus"] == "Completed"
    assert job["TransformStartTime"] <= job["TransformEndTime"]
    assert outputs(s3, "joined") == {"a.csv.out": b"id1,6.0\nid2,14.0\n", "deep/b.csv.out": b"id3,22.0\n"}
    listed = sagemaker.list_transform_jobs(NameContains="joined")["TransformJobSummaries"]
    assert [(entry["TransformJobName"], entry["TransformJobStatus"]) for entry in listed] == [("joined", "Completed")]


def test_single_records_keep_their_order_however_many_are_asked_at_once(
    s3: Any, transform: Callable[..., dict[str, Any]]
) -> None:
    numbers = b"".join(b"%d\n" % number for number in range(40))
    job = transform(
        "ordered",
        {"numbers.csv.gz": gzip.compress(numbers)},
        TransformInput={"SplitType": "Line", "CompressionType": "Gzip"},
        TransformOutput={"AssembleWith": "Line"},
        BatchStrategy="SingleRecord",
        MaxConcurrentTransforms=8,
    )
    assert job["TransformJobStatus"] == "Completed"
    expected = b"".join(b"%.1f\n" % (2 * number) for number in range(40))
    assert outputs(s3, "ordered") == {"numbers.csv.gz.out": expected}


def test_without_a_split_a_file_is_one_request_with_the_jobs_environment(
    s3: Any, transform: Callable[..., dict[str, Any]]
) -> None:
    files = {"a.jsonl": b'{"a": 1}\n{"a": 2}\n', "env": b"env"}
    job = transform(
        "whole", files, TransformInput={"ContentType": "application/jsonlines"}, Environment={"OWN": "mine-"}
    )
    assert job["TransformJobStatus"] == "Completed"
    assert outputs(s3, "whole") == {
        "a.jsonl.out": b"2 lines as application/jsonlines",
        "env.out": b"mine-trueMULTI_RECORD",
    }


def test_a_file_that_the_model_refuses_fails_the_job_and_the_others_are_there(
    server: Any, s3: Any, transform: Callable[..., dict[str, Any]]
) -> None:
    job = transform("refused", {"1.csv": b"1\n", "2.csv": b"bad\n", "3.csv": b"3\n"})
    assert job["TransformJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError: See job logs for more information")
    assert "2.csv: Bad HTTP status received from algorithm: 400 no number: bad" in job["FailureReason"]
    assert sorted(outputs(s3, "refused")) == ["1.csv.out", "3.csv.out"]
    logs = server.client("logs")
    group = "/aws/sagemaker/TransformJobs"
    stream = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix="refused/")["logStreams"][0]
    events = logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"])["events"]
    assert any("Bad HTTP status received from algorithm: 400" in event["message"] for event in events)


def test_a_failing_request_is_sent_again_as_often_as_the_job_says(
    s3: Any, transform: Callable[..., dict[str, Any]]
) -> None:
    assert (
        transform("persistent", {"shaky": b"shaky"}, TransformInput={"ContentType": "a/b"})["TransformJobStatus"]
        == "Completed"
    )
    config = {"InvocationsMaxRetries": 0, "InvocationsTimeoutInSeconds": 30}
    job = transform("timid", {"shaky": b"shaky"}, TransformInput={"ContentType": "a/b"}, ModelClientConfig=config)
    assert job["TransformJobStatus"] == "Failed"
    assert "AlgorithmError" in job["FailureReason"]
    assert "500 not yet" in job["FailureReason"]


def test_a_job_that_is_stopped_stops_its_model(
    sagemaker: Any, server: Any, transform: Callable[..., dict[str, Any]], wait_until: Callable[..., None]
) -> None:
    transform("stopped", {"a": b"sleep"}, wait=False)
    log = server.state / "jobs" / "transform" / "stopped" / "output.log"
    wait_until(lambda: log.exists() and "sleeping" in log.read_text())
    sagemaker.stop_transform_job(TransformJobName="stopped")
    assert finish(sagemaker, "stopped")["TransformJobStatus"] == "Stopped"
    assert [path.name for path in log.parent.iterdir() if path.is_dir()] == []


def test_what_cannot_be_transformed_is_refused_at_once(sagemaker: Any, transform: Callable[..., Any]) -> None:
    with pytest.raises(ClientError, match="does not support the SplitType RecordIO"):
        transform("no", {}, TransformInput={"SplitType": "RecordIO"})
    with pytest.raises(ClientError, match="does not support data capture of transform jobs"):
        transform("no", {}, DataCaptureConfig={"DestinationS3Uri": "s3://test-bucket/c"})
    with pytest.raises(ClientError, match="Could not find requested job with name: no") as caught:
        sagemaker.describe_transform_job(TransformJobName="no")
    assert caught.value.response["Error"]["Code"] == "ResourceNotFound"


def test_a_job_without_inputs_or_with_a_broken_model_says_so(
    sagemaker: Any, s3: Any, transform: Callable[..., dict[str, Any]]
) -> None:
    assert "No S3 objects found" in transform("empty", {})["FailureReason"]
    broken = make_model(sagemaker, s3, "unloadable", "raise RuntimeError('cannot load')")
    job = run(sagemaker, s3, broken, "broken", {"a": b"1"})
    assert job["TransformJobStatus"] == "Failed"
    assert "cannot load" in job["FailureReason"]


def test_a_transform_step_uses_the_model_of_a_model_step(
    sagemaker: Any, s3: Any, model: str, pipelines: Pipelines
) -> None:
    s3.put_object(Bucket="test-bucket", Key="step/in/a.csv", Body=b"1,2\n")
    container = sagemaker.describe_model(ModelName=model)["PrimaryContainer"]
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://test-bucket/step/in"}}
    arguments = {
        "ModelName": {"Get": "Steps.Make.ModelName"},
        "TransformInput": {"DataSource": source, "ContentType": "text/csv"},
        "TransformOutput": {"S3OutputPath": "s3://test-bucket/step/out"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    }
    wrong = {"Std:Join": {"On": "", "Values": ["output in ", {"Get": "Steps.Score.TransformOutput.S3OutputPath"}]}}
    name = pipelines.create(
        step("Make", "Model", {"PrimaryContainer": container}),
        step("Score", "Transform", arguments),
        step("Tell", "Fail", {"ErrorMessage": wrong}),
    )
    execution = pipelines.run(name)
    steps = pipelines.steps(execution["PipelineExecutionArn"])
    assert steps["Score"]["StepStatus"] == "Succeeded", json.dumps(steps, default=str)
    assert ":transform-job/" in steps["Score"]["Metadata"]["TransformJob"]["Arn"]
    assert steps["Tell"]["FailureReason"] == "output in s3://test-bucket/step/out"
    assert outputs(s3, "step") == {"a.csv.out": b"6.0"}
