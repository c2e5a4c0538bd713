"""Act against moto's services, which answer as AWS does."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from infrastructure.functions.act import Action, metrics_of

EVENT = {
    "project": "house-prices",
    "stage": "production",
    "window": "s3://bucket/house-prices/monitoring/windows/production/w",
    "observation": "s3://bucket/observation",
    "data": "s3://bucket/data.csv",
    "champion": "s3://bucket/model.tar.gz",
}
ARN = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/house-prices-training/execution/abcdefghijkl"
OBSERVED: dict[str, Any] = {
    "decision": "ok",
    "reasons": ["Nothing."],
    "notes": ["20 % are captured."],
    "window": {"since": "2026-10-01", "until": "2026-11-01"},
    "backtest": {"rows": 300, "statistics": {"mape": {"value": 0.11}, "vei": {"value": None}}},
    "input_drift": None,
    "requests": 0,
}


@dataclass
class World:
    """Clients of moto, and the answers of SageMaker that are still to come."""

    s3: Any
    cloudwatch: Any
    sns: Any
    sqs: Any
    sagemaker: Any
    stub: Stubber
    event: dict[str, Any] = field(default_factory=lambda: dict(EVENT))
    topic: str | None = None

    def act(self, **observed: Any) -> dict[str, Any]:
        """Act on an observation."""
        body = json.dumps({**OBSERVED, **observed}).encode()
        self.s3.put_object(Bucket="bucket", Key="observation/monitoring.json", Body=body)
        return Action(self.event, self.s3, self.cloudwatch, self.sns, self.sagemaker, self.topic).run()

    def metrics(self) -> set[str]:
        """The names of the metrics that were published."""
        return {
            each["MetricName"] for each in self.cloudwatch.list_metrics(Namespace="house-prices/monitoring")["Metrics"]
        }

    def notes(self) -> list[str]:
        """What the topic's subscriber got."""
        url = self.sqs.get_queue_url(QueueName="notes")["QueueUrl"]
        received = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(each["Body"])["Message"] for each in received]


@pytest.fixture
def world() -> Iterator[World]:
    with mock_aws():
        names = ("s3", "cloudwatch", "sns", "sqs", "sagemaker")
        keys = {"region_name": "us-east-1", "aws_access_key_id": "a", "aws_secret_access_key": "b"}
        clients = [boto3.client(name, **keys) for name in names]  # type: ignore[call-overload]
        clients[0].create_bucket(Bucket="bucket")
        topic = clients[2].create_topic(Name="house-prices-monitoring")["TopicArn"]
        clients[3].create_queue(QueueName="notes")
        clients[2].subscribe(TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:us-east-1:123456789012:notes")
        with Stubber(clients[4]) as stub:
            yield World(*clients, stub)


def test_what_is_ok_is_measured_and_not_told(world: World) -> None:
    assert world.act() == {"Done": "metrics", "Training": "none"}
    assert world.metrics() == {"Decision", "Mape", "NewSales", "Requests"}
    assert world.notes() == []
    (alarm,) = world.cloudwatch.describe_alarms()["MetricAlarms"]
    assert (alarm["AlarmName"], alarm["MetricName"]) == ("house-prices-production-monitoring", "Decision")


def test_a_window_to_watch_is_told_once_with_its_reasons(world: World) -> None:
    assert world.act(decision="watch", reasons=["The inputs are others."])["Done"] == "metrics, a note"
    assert world.act(decision="watch", reasons=["The inputs are others."])["Done"].startswith("nothing")
    (note,) = world.notes()
    assert "The inputs are others." in note
    assert "20 % are captured." in note


def test_a_decision_that_changed_is_told_again(world: World) -> None:
    world.act(decision="watch", reasons=["A."])
    assert world.act(decision="watch", reasons=["B."])["Done"] == "metrics, a note"


def test_a_retrain_starts_the_training_on_the_same_data_against_what_serves(world: World) -> None:
    parameters = [
        {"Name": "InputDataUri", "Value": "s3://bucket/data.csv"},
        {"Name": "ChampionModelUri", "Value": "s3://bucket/model.tar.gz"},
    ]
    from botocore.stub import ANY

    world.stub.add_response(
        "start_pipeline_execution",
        {"PipelineExecutionArn": ARN},
        {
            "PipelineName": "house-prices-training",
            "PipelineExecutionDescription": "Called for by the monitoring of production.",
            "PipelineParameters": parameters,
            "ClientRequestToken": ANY,
        },
    )
    assert world.act(decision="retrain") == {"Done": "metrics, a training, a note", "Training": ARN}
    assert world.act(decision="retrain")["Training"] == ARN  # and no second one is started
    (note,) = world.notes()
    assert f"Training: {ARN}" in note


def test_a_training_whose_data_a_query_gives_is_started_without_a_place_of_theirs(world: World) -> None:
    from botocore.stub import ANY

    del world.event["data"]
    expected = {
        "PipelineName": "house-prices-training",
        "PipelineExecutionDescription": ANY,
        "PipelineParameters": [{"Name": "ChampionModelUri", "Value": "s3://bucket/model.tar.gz"}],
        "ClientRequestToken": ANY,
    }
    world.stub.add_response("start_pipeline_execution", {"PipelineExecutionArn": ARN}, expected)
    assert world.act(decision="retrain")["Training"] == ARN


def test_a_training_pipeline_that_is_not_there_is_said(world: World) -> None:
    world.stub.add_client_error("start_pipeline_execution", "ResourceNotFound", "it does not exist")
    assert "the pipeline house-prices-training is not there" in world.act(decision="retrain")["Training"]
    (note,) = world.notes()
    assert "No training, for the pipeline house-prices-training is not there." in note


@pytest.mark.parametrize(("decision", "number"), [("ok", 0), ("watch", 1), ("retrain", 2)])
def test_the_decision_is_a_number_that_an_alarm_can_compare(decision: str, number: int) -> None:
    assert metrics_of({**OBSERVED, "decision": decision})["Decision"] == number


@pytest.mark.parametrize(
    ("status", "again"), [("Executing", False), ("Succeeded", False), ("Failed", True), ("Stopped", True)]
)
def test_a_training_that_a_window_before_has_started_is_not_started_again(
    world: World, status: str, again: bool
) -> None:
    world.event = {**EVENT, "before": ARN}
    world.stub.add_response(
        "describe_pipeline_execution", {"PipelineExecutionStatus": status}, {"PipelineExecutionArn": ARN}
    )
    other = f"{ARN}2"
    if again:
        world.stub.add_response("start_pipeline_execution", {"PipelineExecutionArn": other})
    assert world.act(decision="retrain")["Training"] == (other if again else ARN)
    world.stub.assert_no_pending_responses()


def test_the_next_window_is_told_what_was_raised_for_which_version(world: World) -> None:
    segments = [{"column": "view", "name": "1", "level_change": -0.02}, {"column": "view", "name": "2"}]
    world.act(
        decision="watch",
        raised={"level": "watch"},
        window={**OBSERVED["window"], "live": 3},
        backtest={**OBSERVED["backtest"], "segments": segments},
    )
    told = world.s3.get_object(Bucket="bucket", Key="house-prices/monitoring/windows/production/w/acted.json")
    assert json.loads(told["Body"].read()) == {
        "decision": "watch",
        "reasons": ["Nothing."],
        "raised": {"level": "watch"},
        "version": 3,
        "training": "none",
        "segments": {"view 1": -0.02},
    }


def test_where_a_stack_has_the_topic_none_is_made_and_the_alarm_is_left_to_it(world: World) -> None:
    topic = world.sns.create_topic(Name="house-prices-dev-monitoring")["TopicArn"]
    world.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:us-east-1:123456789012:notes")
    world.topic = topic
    assert world.act(decision="watch")["Done"] == "metrics, a note"
    assert len(world.notes()) == 1
    assert world.cloudwatch.describe_alarms()["MetricAlarms"] == []
