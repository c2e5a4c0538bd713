"""Asynchronous endpoints with a real model: answers in S3, notes, and a queue that outlives the server."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import BUCKET, LocalServer, kill, running
from tests.local_sagemaker.api.test_endpoints import HANDLERS, VARIANT, configure, make_model, settle

SLOW = HANDLERS.replace(
    'if data == "fail":',
    'import time\n    if data.startswith("sleep"):\n        time.sleep(float(data.split()[1]))\n    if data == "fail":',
)
OUTPUT = {"S3OutputPath": f"s3://{BUCKET}/answers/", "S3FailurePath": f"s3://{BUCKET}/failures"}


def wait_for(condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 60
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


class Endpoint:
    """The endpoint `later` of a server, its topics read through one queue, and what it is asked."""

    def __init__(self, server: LocalServer) -> None:
        self.server = server
        self.sagemaker, self.s3, self.sqs = (server.client(name) for name in ("sagemaker", "s3", "sqs"))
        self.runtime = server.client("sagemaker-runtime")
        sns = server.client("sns")
        self.queue = self.sqs.create_queue(QueueName="notes")["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        topics = [sns.create_topic(Name=name)["TopicArn"] for name in ("good", "bad")]
        for topic in topics:
            sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
        notes = {
            "SuccessTopic": topics[0],
            "ErrorTopic": topics[1],
            "IncludeInferenceResponseIn": ["SUCCESS_NOTIFICATION_TOPIC"],
        }
        config = {
            "OutputConfig": {**OUTPUT, "NotificationConfig": notes},
            "ClientConfig": {"MaxConcurrentInvocationsPerInstance": 2},
        }
        model = make_model(self.sagemaker, self.s3, "later", SLOW)
        name = configure(self.sagemaker, model, AsyncInferenceConfig=config)
        self.sagemaker.create_endpoint(EndpointName="later", EndpointConfigName=name)
        assert settle(self.sagemaker, "later")["AsyncInferenceConfig"] == config

    def send(self, text: str, **fields: Any) -> dict[str, Any]:
        """Ask with an input of its own in S3."""
        key = f"inputs/{time.time_ns()}"
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=text.encode())
        given = {"InputLocation": f"s3://{BUCKET}/{key}", "ContentType": "text/plain", **fields}
        answer: dict[str, Any] = self.runtime.invoke_endpoint_async(EndpointName="later", **given)
        return answer

    def read(self, uri: str) -> str:
        """An object, once it is there."""
        key = uri.removeprefix(f"s3://{BUCKET}/")
        wait_for(lambda: self.s3.list_objects_v2(Bucket=BUCKET, Prefix=key).get("Contents"))
        return str(self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode())

    def note(self, inference: str) -> dict[str, Any]:
        """What was published of one request."""

        def look() -> dict[str, Any] | None:
            for message in self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages", []):
                note: dict[str, Any] = json.loads(message["Body"])
                self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
                if note["inferenceId"] == inference:
                    return note
            return None

        found: dict[str, Any] = wait_for(look)
        return found

    def metric(self, name: str, statistic: str = "Sum", **dimensions: str) -> float:
        """A statistic of a metric, over the time of the test."""
        named = {"EndpointName": "later", **dimensions}
        answer = self.server.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/SageMaker",
            MetricName=name,
            Dimensions=[{"Name": key, "Value": value} for key, value in named.items()],
            StartTime=time.time() - 600,
            EndTime=time.time() + 60,
            Period=3600,
            Statistics=[statistic],
        )
        return sum(point[statistic] for point in answer["Datapoints"])


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    with running(tmp_path_factory.mktemp("asynchronous"), SAGEMAKER_LOCAL_TIME_SCALE="60") as server:
        yield Endpoint(server)


@pytest.mark.e2e
def test_an_answer_goes_to_s3_and_is_published(later: Endpoint) -> None:
    answer = later.send("x", InferenceId="first", CustomAttributes="trace=1")
    assert (answer["InferenceId"], answer["ResponseMetadata"]["HTTPStatusCode"]) == ("first", 202)
    assert answer["OutputLocation"].startswith(f"s3://{BUCKET}/answers/")
    assert answer["OutputLocation"].endswith(".out")
    assert answer["FailureLocation"].endswith("-error.out")
    assert later.read(answer["OutputLocation"]) == "later x"
    key = answer["OutputLocation"].removeprefix(f"s3://{BUCKET}/")
    stored = later.s3.head_object(Bucket=BUCKET, Key=key)["ContentType"]
    assert stored.startswith("text/plain")  # the SDK chooses a deserializer by it
    note = later.note("first")
    # The fields of a note that the service has sent (a public sample keeps one).
    assert set(note) - {"responseBody"} == {
        "awsRegion",
        "eventTime",
        "receivedTime",
        "invocationStatus",
        "requestParameters",
        "responseParameters",
        "inferenceId",
        "eventVersion",
        "eventSource",
        "eventName",
    }
    assert (note["eventVersion"], note["eventSource"], note["eventName"]) == ("1.0", "aws:sagemaker", "InferenceResult")
    assert note["invocationStatus"] == "Completed"
    assert note["requestParameters"]["customAttributes"] == "trace=1"
    assert note["responseParameters"]["outputLocation"] == answer["OutputLocation"]
    assert note["responseBody"] == {"content": "bGF0ZXIgeA==", "encoding": "BASE64"}
    assert later.metric("InvocationsProcessed", VariantName="main") >= 1
    assert later.metric("ModelLatency", VariantName="main") > 0
    assert later.metric("Invocations", VariantName="main") == 0  # the service does not publish it of such endpoints
    wait_for(lambda: later.metric("ApproximateBacklogSize", "SampleCount") > 0)


@pytest.mark.e2e
def test_a_failure_of_the_model_and_of_the_input_is_told(later: Endpoint) -> None:
    before = later.metric("InvocationFailures", VariantName="main")
    answer = later.send("fail")
    note = later.note(answer["InferenceId"])
    assert note["invocationStatus"] == "Failed"
    assert note["failureReason"].startswith("ClientError: Received server error (500) from model.")
    assert note["responseParameters"]["failureLocation"] == answer["FailureLocation"]
    assert "no prediction for that" in later.read(answer["FailureLocation"])
    assert "responseBody" not in note
    missing = later.runtime.invoke_endpoint_async(EndpointName="later", InputLocation=f"s3://{BUCKET}/nothing")
    assert "There is no object" in later.note(missing["InferenceId"])["failureReason"]
    wait_for(lambda: later.metric("RequestDownloadFailures", VariantName="main"))
    assert later.metric("InvocationFailures", VariantName="main") == before + 1


@pytest.mark.e2e
def test_an_inline_body_a_name_and_a_timeout_of_its_own(later: Endpoint) -> None:
    fields = {"ContentType": "text/plain", "Filename": "a.txt", "S3OutputPathExtension": "today/"}
    answer = later.runtime.invoke_endpoint_async(EndpointName="later", Body=b"inline", **fields)
    assert answer["OutputLocation"] == f"s3://{BUCKET}/answers/today/a.txt"
    assert later.read(answer["OutputLocation"]) == "later inline"
    late = later.send("sleep 1.5", InvocationTimeoutSeconds=1)
    assert "server error (0)" in later.note(late["InferenceId"])["failureReason"]


@pytest.mark.e2e
def test_without_a_content_type_that_of_the_input_s_object_counts(later: Endpoint) -> None:
    code = HANDLERS.replace("return body.decode() if isinstance(body, bytes) else body", "return content_type")
    name = configure(
        later.sagemaker,
        make_model(later.sagemaker, later.s3, "typed", code),
        AsyncInferenceConfig={"OutputConfig": OUTPUT},
    )
    later.sagemaker.create_endpoint(EndpointName="typed", EndpointConfigName=name)
    settle(later.sagemaker, "typed")
    for key, more in (("typed/csv", {"ContentType": "text/csv"}), ("typed/none", {})):
        later.s3.put_object(Bucket=BUCKET, Key=key, Body=b"1", **more)
    asked = {
        "text/csv": {"InputLocation": f"s3://{BUCKET}/typed/csv"},
        "text/plain": {"InputLocation": f"s3://{BUCKET}/typed/csv", "ContentType": "text/plain"},
        "binary/octet-stream": {"InputLocation": f"s3://{BUCKET}/typed/none"},
    }
    for expected, request in asked.items():
        answer = later.runtime.invoke_endpoint_async(EndpointName="typed", **request)
        assert later.read(answer["OutputLocation"]) == f"typed {expected}"
    later.sagemaker.delete_endpoint(EndpointName="typed")


@pytest.mark.e2e
def test_a_request_that_has_waited_too_long_expires(later: Endpoint) -> None:
    first = [later.send("sleep 2") for _ in range(2)]  # both places are taken for longer than that
    expired = later.send("x", RequestTTLSeconds=60)  # a second of this machine
    assert "longer than 60 seconds" in later.note(expired["InferenceId"])["failureReason"]
    for each in first:
        assert later.read(each["OutputLocation"]) == "later sleep 2"


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "either InputLocation or Body"),
        ({"InputLocation": f"s3://{BUCKET}/x", "Body": b"x"}, "either InputLocation or Body"),
        ({"InputLocation": "file:///etc/passwd"}, "inputLocation"),
        ({"Body": b"x", "RequestTTLSeconds": 59}, "requestTTLSeconds"),
        ({"Body": b"x", "InvocationTimeoutSeconds": 3601}, "invocationTimeoutSeconds"),
        ({"Body": b"x" * 128_001}, "larger than 128000 bytes"),
        ({"Body": b"x", "Filename": "../x"}, "filename"),
    ],
)
def test_what_cannot_be_a_request_is_refused_at_once(later: Endpoint, fields: dict[str, Any], words: str) -> None:
    runtime = later.server.client("sagemaker-runtime", parameter_validation=False)
    with pytest.raises(ClientError, match=words) as refused:
        runtime.invoke_endpoint_async(EndpointName="later", **fields)
    assert refused.value.response["Error"]["Code"] == "ValidationError"


@pytest.mark.e2e
def test_the_two_kinds_of_endpoints_take_their_own_invocations_alone(later: Endpoint) -> None:
    with pytest.raises(ClientError, match="takes InvokeEndpointAsync alone"):
        later.runtime.invoke_endpoint(EndpointName="later", Body=b"x")
    name = configure(later.sagemaker, make_model(later.sagemaker, later.s3, "now"))
    later.sagemaker.create_endpoint(EndpointName="now", EndpointConfigName=name)
    settle(later.sagemaker, "now")
    with pytest.raises(ClientError, match="its configuration has no AsyncInferenceConfig"):
        later.runtime.invoke_endpoint_async(EndpointName="now", Body=b"x")
    with pytest.raises(ClientError, match="not found"):
        later.runtime.invoke_endpoint_async(EndpointName="nowhere", Body=b"x")


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"AsyncInferenceConfig": {"OutputConfig": {}}}, "needs S3OutputPath"),
        ({"ShadowProductionVariants": [{**VARIANT, "VariantName": "s"}]}, "do not support shadow variants"),
        (
            {
                "ProductionVariants": [
                    {"VariantName": "main", "ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1}}
                ]
            },
            "Serverless variants do not support",
        ),
    ],
)
def test_a_configuration_that_the_service_does_not_have_is_refused(
    later: Endpoint, fields: dict[str, Any], words: str
) -> None:
    model = make_model(later.sagemaker, later.s3, "any")
    with pytest.raises(ClientError, match=words):
        configure(later.sagemaker, model, **{"AsyncInferenceConfig": {"OutputConfig": OUTPUT}, **fields})


@pytest.mark.e2e
def test_the_queue_goes_on_after_the_server_is_killed(later: Endpoint) -> None:
    answers = [later.send(f"sleep 0.{number}") for number in range(1, 7)]
    kill(later.server.up().pid)
    later.server.up()
    for number, answer in enumerate(answers, 1):
        assert later.read(answer["OutputLocation"]) == f"later sleep 0.{number}"


@pytest.mark.e2e
def test_a_deleted_endpoint_takes_its_queue_along(later: Endpoint) -> None:
    wait_for(lambda: later.sagemaker.describe_endpoint(EndpointName="later")["EndpointStatus"] == "InService")
    for _ in range(4):
        later.send("sleep 0.5")
    last = later.send("never")
    later.sagemaker.delete_endpoint(EndpointName="later")
    wait_for(lambda: not [each for each in later.sagemaker.list_endpoints()["Endpoints"] if "later" in str(each)])
    time.sleep(1)
    key = last["OutputLocation"].removeprefix(f"s3://{BUCKET}/")
    assert "Contents" not in later.s3.list_objects_v2(Bucket=BUCKET, Prefix=key)
