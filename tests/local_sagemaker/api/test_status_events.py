"""Changes of status reach EventBridge's targets in the form that AWS documents."""

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.api.model_cards import ModelCards
from local_sagemaker.api.status_events import StatusEvents, event_of
from local_sagemaker.state.database import Database
from local_sagemaker.state.records import Records
from local_sagemaker.wire.dispatch import Caller
from local_sagemaker.work.tags import Tags
from tests.local_sagemaker.conftest import Pipelines, processing, step

ARN = "arn:aws:sagemaker:us-east-1:000000000000"


def test_only_another_status_is_an_event() -> None:
    sent: list[tuple[str, dict[str, Any]]] = []
    events = StatusEvents(lambda region, event: sent.append((region, event)))
    events.start()
    job = {"ProcessingJobName": "p", "ProcessingJobArn": f"{ARN}:processing-job/p", "CreationTime": 1.5}
    events.changed("processing-job", None, {**job, "ProcessingJobStatus": "InProgress"})
    events.changed(
        "processing-job", {**job, "ProcessingJobStatus": "InProgress"}, {**job, "ProcessingJobStatus": "InProgress"}
    )
    events.changed("tags", None, {"Tags": []})
    events.changed(
        "processing-job", {**job, "ProcessingJobStatus": "InProgress"}, {**job, "ProcessingJobStatus": "Failed"}
    )
    events.close()
    assert [json.loads(event["Detail"])["ProcessingJobStatus"] for _, event in sent] == ["InProgress", "Failed"]
    region, event = sent[0]
    assert (region, event["Source"]) == ("us-east-1", "aws.sagemaker")
    assert event["DetailType"] == "SageMaker Processing Job State Change"
    assert event["Resources"] == [f"{ARN}:processing-job/p"]
    assert json.loads(event["Detail"])["CreationTime"] == 1500


def test_the_statuses_of_endpoints_are_written_as_only_their_events_do() -> None:
    endpoint = {"EndpointName": "e", "EndpointArn": f"{ARN}:endpoint/e", "EndpointStatus": "InService"}
    _, event = event_of("Endpoint", None, endpoint)
    assert json.loads(event["Detail"])["EndpointStatus"] == "IN_SERVICE"
    assert event["DetailType"] == "SageMaker Endpoint State Change"


def test_a_model_card_tells_of_its_versions_and_statuses_in_the_documented_form(tmp_path: Path) -> None:
    sent: list[tuple[str, dict[str, Any]]] = []
    database = Database(tmp_path / "state.db")
    records = Records(database)
    events = StatusEvents(lambda region, event: sent.append((region, event)))
    events.start()
    records.watcher = events.changed
    cards, caller = ModelCards(records, Tags(records)), Caller("000000000000", "us-east-1")
    content = {"model_overview": {"model_id": "example-model"}}
    name = {"ModelCardName": "example-card"}
    cards.create_model_card({**name, "Content": json.dumps(content), "ModelCardStatus": "Draft"}, caller)
    cards.update_model_card({**name, "ModelCardStatus": "Approved"}, caller)
    cards.update_model_card({**name, "ModelCardStatus": "Approved"}, caller)  # nothing changes
    cards.update_model_card({**name, "Content": "{}"}, caller)
    events.close()
    database.close()
    details = [json.loads(event["Detail"]) for _, event in sent]
    assert [(each["ModelCardVersion"], each["ModelCardStatus"]) for each in details] == [
        (1, "Draft"),
        (1, "Approved"),
        (2, "Approved"),
    ]
    region, event = sent[0]
    assert (region, event["DetailType"]) == ("us-east-1", "SageMaker Model Card State Change")
    assert event["Resources"] == [f"{ARN}:model-card/example-card"]
    assert set(details[0]) == {
        *("ModelCardVersion", "LastModifiedTime", "LastModifiedBy", "CreationTime", "CreatedBy"),
        *("ModelCardName", "ModelId", "ModelCardStatus", "AccountId", "SecurityConfig"),
    }
    assert (details[0]["ModelId"], details[0]["AccountId"]) == ("example-model", "000000000000")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", details[0]["CreationTime"])
    assert "ModelId" not in details[2]


def test_a_target_that_fails_does_not_stop_the_others() -> None:
    sent = []

    def send(region: str, event: dict[str, Any]) -> None:
        if not sent:
            sent.append("failed")
            raise OSError("gone")
        sent.append(event["DetailType"])

    events = StatusEvents(send)
    events.start()
    job = {"ProcessingJobName": "p", "ProcessingJobArn": f"{ARN}:processing-job/p"}
    for status in ("InProgress", "Completed"):
        events.changed("processing-job", None, {**job, "ProcessingJobStatus": status})
    events.close()
    assert sent == ["failed", "SageMaker Processing Job State Change"]


@pytest.mark.e2e
def test_a_pipeline_tells_a_queue_and_a_topic_of_its_steps(server: Any, pipelines: Pipelines) -> None:
    events, sqs, sns = (server.client(name) for name in ("events", "sqs", "sns"))
    urls = [sqs.create_queue(QueueName=f"status-events-{number}")["QueueUrl"] for number in range(2)]
    direct, by_topic = (
        sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"] for url in urls
    )
    topic = sns.create_topic(Name="status-events")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=by_topic, Attributes={"RawMessageDelivery": "true"})
    pattern = {"source": ["aws.sagemaker"], "detail-type": [{"prefix": "SageMaker"}]}
    events.put_rule(Name="status-events", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="status-events", Targets=[{"Id": "1", "Arn": direct}, {"Id": "2", "Arn": topic}])
    name = pipelines.create(step("A", "Processing", processing("true")))
    pipelines.run(name)
    try:
        for url in urls:
            seen = _messages(sqs, url)
            statuses = [
                (each["detail"].get("stepName"), each["detail"].get("currentStepStatus"))
                for each in seen
                if each["detail-type"] == "SageMaker Model Building Pipeline Execution Step Status Change"
            ]
            assert statuses == [("A", "Starting"), ("A", "Executing"), ("A", "Succeeded")]
            executions = [
                each["detail"]["currentPipelineExecutionStatus"]
                for each in seen
                if each["detail-type"] == "SageMaker Model Building Pipeline Execution Status Change"
            ]
            assert executions == ["Executing", "Succeeded"]
            assert "SageMaker Processing Job State Change" in {each["detail-type"] for each in seen}
    finally:
        events.remove_targets(Rule="status-events", Ids=["1", "2"])
        events.delete_rule(Name="status-events")


def _messages(sqs: Any, url: str) -> list[dict[str, Any]]:
    """Every message of a queue, until the execution's last one, in the order of their sending."""
    found: list[dict[str, Any]] = []
    deadline = time.monotonic() + 30
    while not any(each["detail"].get("currentPipelineExecutionStatus") == "Succeeded" for each in found):
        assert time.monotonic() < deadline, [each["detail-type"] for each in found]
        for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", []):
            found.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found
