"""CloudWatch over sockets: the metrics of an endpoint, alarms that are evaluated, and what they tell."""

import json
import time
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import LocalServer
from tests.local_sagemaker.api.test_endpoints import configure, make_model, settle, wait_for

pytestmark = pytest.mark.e2e
ALARM: dict[str, Any] = {
    "AlarmName": "queue",
    "Namespace": "Mine",
    "MetricName": "Depth",
    "Statistic": "Maximum",
    "Period": 60,
    "EvaluationPeriods": 1,
    "Threshold": 5,
    "ComparisonOperator": "GreaterThanThreshold",
}


def span() -> dict[str, datetime]:
    now = datetime.now(timezone.utc)
    return {"StartTime": now - timedelta(minutes=10), "EndTime": now + timedelta(minutes=1)}


def state(cloudwatch: Any, name: str) -> str:
    found = cloudwatch.describe_alarms(AlarmNames=[name])
    return str([*found["MetricAlarms"], *found["CompositeAlarms"]][0]["StateValue"])


def test_an_endpoint_has_the_metrics_of_the_service(fast: LocalServer, cloudwatch: Any) -> None:
    sagemaker, runtime = fast.client("sagemaker"), fast.client("sagemaker-runtime")
    config = configure(sagemaker, make_model(sagemaker, fast.client("s3"), "measured"))
    sagemaker.create_endpoint(EndpointName="measured", EndpointConfigName=config)
    settle(sagemaker, "measured")
    for body in (b"x", b"y", b"fail"):
        try:
            runtime.invoke_endpoint(EndpointName="measured", Body=body, ContentType="text/plain")
        except ClientError:
            assert body == b"fail"
    both = {"EndpointName": "measured", "VariantName": "main"}
    found = cloudwatch.list_metrics(Namespace="AWS/SageMaker", Dimensions=[{"Name": "EndpointName"}])["Metrics"]
    assert {each["MetricName"] for each in found} == {
        "Invocations",
        "InvocationsPerInstance",
        "Invocation4XXErrors",
        "Invocation5XXErrors",
        "InvocationModelErrors",
        "ModelLatency",
        "OverheadLatency",
    }
    sets = [{each["Name"]: each["Value"] for each in metric["Dimensions"]} for metric in found]
    assert both in sets
    assert {**both, "EndpointConfigName": config} in sets
    dimensions = [{"Name": key, "Value": value} for key, value in both.items()]

    def statistics(name: str, **asked: Any) -> dict[str, Any]:
        answer = cloudwatch.get_metric_statistics(
            Namespace="AWS/SageMaker", MetricName=name, Dimensions=dimensions, Period=3600, **span(), **asked
        )
        assert answer["Label"] == name
        points: list[dict[str, Any]] = answer["Datapoints"]
        return points[-1]

    errors = statistics("Invocation5XXErrors", Statistics=["Sum", "Average", "SampleCount"])
    assert (errors["Sum"], errors["SampleCount"], errors["Unit"]) == (1, 3, "None")
    assert errors["Average"] == pytest.approx(1 / 3)
    latency = statistics("ModelLatency", ExtendedStatistics=["p99"], Statistics=["Minimum"])
    assert latency["Unit"] == "Microseconds"
    assert 100 < latency["Minimum"] <= latency["ExtendedStatistics"]["p99"] < 60e6
    query = {"Namespace": "AWS/SageMaker", "Dimensions": dimensions}
    rate = cloudwatch.get_metric_data(
        MetricDataQueries=[
            {
                "Id": name,
                "MetricStat": {"Metric": {**query, "MetricName": metric}, "Period": 3600, "Stat": "Sum"},
                "ReturnData": False,
            }
            for name, metric in (("errors", "Invocation5XXErrors"), ("calls", "Invocations"))
        ]
        + [{"Id": "rate", "Expression": "100 * errors / calls"}],
        **span(),
    )["MetricDataResults"]
    assert [each["Id"] for each in rate] == ["rate"]
    assert rate[0]["Values"][0] == pytest.approx(100 / 3)


def test_an_alarm_follows_its_metric_and_tells_a_queue(fast: LocalServer, cloudwatch: Any) -> None:
    sqs, events, sns = fast.client("sqs"), fast.client("events"), fast.client("sns")
    queue = sqs.create_queue(QueueName="alarms")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="alarms", EventPattern=json.dumps({"source": ["aws.cloudwatch"]}))
    events.put_targets(Rule="alarms", Targets=[{"Id": "queue", "Arn": arn}])
    topic = sns.create_topic(Name="alarms")["TopicArn"]
    notes = sqs.create_queue(QueueName="notes")["QueueUrl"]
    notes_arn = sqs.get_queue_attributes(QueueUrl=notes, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=notes_arn)
    cloudwatch.put_metric_alarm(**ALARM, AlarmActions=[topic])
    assert state(cloudwatch, "queue") == "INSUFFICIENT_DATA"
    cloudwatch.put_composite_alarm(AlarmName="all", AlarmRule="ALARM(queue) AND NOT OK(queue)")
    cloudwatch.put_metric_data(Namespace="Mine", MetricData=[{"MetricName": "Depth", "Value": 6}])
    wait_for(lambda: state(cloudwatch, "queue") == "ALARM")
    wait_for(lambda: state(cloudwatch, "all") == "ALARM")
    wait_for(lambda: state(cloudwatch, "queue") == "INSUFFICIENT_DATA")  # its period is over
    received: list[Any] = []

    def told() -> bool:
        for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
            received.append(json.loads(message["Body"]))
        return any(event["detail"]["state"]["value"] == "ALARM" for event in received)

    wait_for(told)
    event = next(event for event in received if event["detail"]["alarmName"] == "queue")
    assert event["detail-type"] == "CloudWatch Alarm State Change"
    assert event["detail"]["configuration"]["metrics"][0]["metricStat"]["metric"]["name"] == "Depth"
    note = sqs.receive_message(QueueUrl=notes)["Messages"][0]
    assert json.loads(json.loads(note["Body"])["Message"])["NewStateValue"] == "ALARM"


def test_a_state_set_by_hand_holds_until_the_next_evaluation(cloudwatch: Any) -> None:
    cloudwatch.put_metric_alarm(**{**ALARM, "AlarmName": "hand", "MetricName": "Other", "Period": 3600})
    cloudwatch.set_alarm_state(AlarmName="hand", StateValue="ALARM", StateReason="a test")
    assert state(cloudwatch, "hand") == "ALARM"
    wait_for(lambda: state(cloudwatch, "hand") == "INSUFFICIENT_DATA")
    cloudwatch.delete_alarms(AlarmNames=["hand"])
    with pytest.raises(ClientError, match="does not exist"):
        cloudwatch.set_alarm_state(AlarmName="hand", StateValue="OK", StateReason="a test")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"Period": 61}, "multiple of 60"),
        ({"Statistic": "tm99"}, "percentile"),
        ({"DatapointsToAlarm": 2}, r"1 to EvaluationPeriods \(1\)"),
        ({"TreatMissingData": "later"}, "missing, ignore, breaching, notBreaching"),
        ({"ComparisonOperator": "GreaterThanUpperThreshold"}, "GreaterThanThreshold"),
    ],
)
def test_an_alarm_that_could_not_be_evaluated_is_refused(cloudwatch: Any, changes: Any, words: str) -> None:
    with pytest.raises(ClientError, match=words):
        cloudwatch.put_metric_alarm(**{**ALARM, "AlarmName": "refused", **changes})


def test_alarms_survive_a_restart(fast: LocalServer, cloudwatch: Any) -> None:
    cloudwatch.put_metric_alarm(**{**ALARM, "AlarmName": "kept", "MetricName": "None", "TreatMissingData": "breaching"})
    wait_for(lambda: state(cloudwatch, "kept") == "ALARM")
    fast.down()
    fast.up()
    assert state(cloudwatch, "kept") == "ALARM"
    cloudwatch.put_metric_alarm(**{**ALARM, "AlarmName": "kept", "MetricName": "None", "TreatMissingData": "ignore"})
    time.sleep(1)
    assert state(cloudwatch, "kept") == "ALARM"  # a change of its definition leaves the state as it is
