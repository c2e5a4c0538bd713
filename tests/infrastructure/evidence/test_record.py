"""The record of a run on an AWS whose answers a test chooses: what counts as seen, and that nothing of it leaks."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timezone
from functools import cache
from typing import Any

import pytest

from infrastructure.errors import InfrastructureError
from infrastructure.evidence.observations import QUESTIONS, Run
from infrastructure.evidence.record import record, where
from tests.aws_stub import Refusal, StubAws, stub_aws

HERE, THERE = "210987654321", "123456789012"
POISON = (
    " of ada.lovelace@example.com in s3://acme-bucket/x as arn:aws:sts::210987654321:assumed-role/Admin/ada with"
    " AKIAIOSFODNN7EXAMPLE wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY in subnet-0a1b2c3d of acme-inner-name"
    " by arn:aws:kms:eu-west-1:210987654321:key/1b2c3d4e-1111-2222-3333-444455556666"
)
LEAKED = ("lovelace", "acme", HERE, THERE, "IOSFODNN7", "wJalr", "0a1b2c3d", "1b2c3d4e")
EXECUTION = f"arn:aws:sagemaker:eu-west-1:{HERE}:pipeline/p/execution/e"
VERSION = f"arn:aws:sagemaker:eu-west-1:{THERE}:model-package/house-prices/1"
BEGAN, ENDED = datetime(2026, 12, 1, 8, tzinfo=timezone.utc), datetime(2026, 12, 1, 9, tzinfo=timezone.utc)
QUOTA = "ml.m5.xlarge for training job usage"


def step(name: str, poison: str = "", **metadata: Any) -> dict[str, Any]:
    return {
        "StepName": name + poison,
        "StepStatus": "Succeeded",
        "StartTime": BEGAN.timestamp(),
        "EndTime": ENDED.timestamp(),
        "Metadata": metadata,
    }


def job(kind: str) -> dict[str, str]:
    return {"Arn": f"arn:aws:sagemaker:eu-west-1:{HERE}:{kind}/pipelines-e"}


def deletion(poison: str = "", **fields: Any) -> dict[str, Any]:
    who = f"arn:aws:sts::{HERE}:assumed-role/house-prices-dev-removal/1b2c3d4e{poison}"
    request = {"endpointName": "house-prices-staging"}
    return {"userIdentity": {"arn": who}, "requestParameters": request, "requestID": poison, **fields}


def account(aws: StubAws, poison: str = "") -> None:
    """Every question has an answer; `poison` is in every text that is somebody's own."""
    moments = {"CreationTime": BEGAN.timestamp(), "LastModifiedTime": ENDED.timestamp()}
    cluster = {"InstanceCount": 2, "InstanceType": "ml.m5.xlarge"}
    image = f"{HERE}.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:3.2-0"
    answers: dict[str, dict[str, Any]] = {
        "DescribePipelineExecution": {
            "PipelineExecutionStatus": "Succeeded", "PipelineExecutionDescription": poison, **moments,
            "CreatedBy": {"UserProfileName": poison},
        },
        "ListPipelineExecutionSteps": {
            "PipelineExecutionSteps": [
                step("Validate", poison, ProcessingJob=job("processing-job")),
                step("Train", poison, TrainingJob=job("training-job")),
                step("Register", poison, RegisterModel={"Arn": VERSION}),
            ]
        },
        "DescribeProcessingJob": {
            "ProcessingResources": {"ClusterConfig": cluster}, "AppSpecification": {"ImageUri": image + poison},
            "Environment": {"SECRET": poison},
        },
        "DescribeTrainingJob": {
            "ResourceConfig": cluster, "AlgorithmSpecification": {"TrainingImage": image + poison},
            "FinalMetricDataList": [{"MetricName": poison, "Value": 1.0}], "BillableTimeInSeconds": 61,
        },
        "DescribeModelPackage": {
            "ModelPackageArn": VERSION, "MetadataProperties": {"GeneratedBy": EXECUTION},
            "ModelLifeCycle": {"Stage": poison, "StageStatus": poison},
        },
        "DescribeEndpoint": {
            "EndpointStatus": "InService", "EndpointConfigName": "c",
            "EndpointArn": f"arn:aws:sagemaker:eu-west-1:{HERE}:endpoint/e",
        },
        "DescribeEndpointConfig": {"ProductionVariants": [{"ModelName": "m"}]},
        "DescribeModel": {"PrimaryContainer": {"ModelPackageName": VERSION}},
        "ListServiceQuotas": {"Quotas": [{"QuotaName": QUOTA, "Value": 1.0}]},
        "ListBuildsForProject": {"ids": ["b:1"]},
        "LookupEvents": {"Events": [{"EventId": poison, "CloudTrailEvent": json.dumps(deletion(poison))}]},
        "BatchGetBuilds": {
            "builds": [{"buildStatus": "SUCCEEDED", "source": {"type": "GITHUB", "location": f"https://x/{poison}"}}]
        },
    }  # fmt: skip
    for operation, answer in answers.items():
        aws.answers[operation] = lambda _, answer=answer: answer  # type: ignore[misc]


@pytest.fixture
def aws() -> Iterator[StubAws]:
    with stub_aws() as stub:
        account(stub)
        yield stub


def run_of(aws: StubAws, poison: str = "", **fields: Any) -> Run:
    class Stacks:
        def describe_stacks(self, StackName: str) -> dict[str, Any]:
            return {"Stacks": [{"StackStatus": "UPDATE_COMPLETE", "StackName": StackName + poison}]}

    @cache
    def client(service: str) -> Any:
        return Stacks() if service == "cloudformation" else aws.client(service)

    history = [{"build": f"b{poison}", "who": f"ada{poison}, who approved it", "outcome": "serves", "reason": poison}]
    run = Run(client, "house-prices", "dev", EXECUTION, "house-prices-staging", history, lambda _: 5, [QUOTA])
    return replace(run, **fields)


def test_a_run_of_which_everything_is_known_is_seen_whole(aws: StubAws) -> None:
    found = record(run_of(aws), "eu-west-1", {})
    assert sorted(found["seen"]) == sorted(QUESTIONS)
    assert found["unanswered"] == {}
    assert found["date"] == "2026-12-01"
    assert found["steps"][1] == {
        "name": "Train", "status": "Succeeded", "seconds": 3600.0, "cached": False, "job": "Training",
        "image": "sagemaker-xgboost:3.2-0", "instances": "2 x ml.m5.xlarge", "billed_seconds": 61,
    }  # fmt: skip


def test_nothing_of_the_account_is_in_the_record_whatever_its_answers_hold(aws: StubAws) -> None:
    account(aws, POISON)
    aws.answers["ListServiceQuotas"] = refuse("AccessDeniedException", POISON)
    written = json.dumps(record(run_of(aws, POISON), "eu-west-1", {"acme-inner-name": "role"}))
    assert [part for part in LEAKED if part in written] == []
    assert "ListServiceQuotas: AccessDeniedException" in written  # the code, and not the message


def refuse(code: str, message: str) -> Any:
    def answer(_: Any) -> dict[str, Any]:
        raise Refusal(code, message)

    return answer


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("operation", "changed", "lost"),
    [
        ("DescribePipelineExecution", {"PipelineExecutionStatus": "Failed"}, {"execution"}),
        ("DescribeTrainingJob", {"FinalMetricDataList": []}, {"metrics"}),
        ("DescribeModelPackage", {"MetadataProperties": {"GeneratedBy": "another"}}, {"made_by"}),
        ("DescribeModelPackage", {"ModelLifeCycle": {}}, {"life_cycle"}),
        ("DescribeEndpoint", {"EndpointStatus": "Updating"}, {"endpoint", "other_account"}),
        ("DescribeModel", {"PrimaryContainer": {"ModelPackageName": EXECUTION}}, {"endpoint", "other_account"}),
        ("ListServiceQuotas", {"Quotas": [{"QuotaName": "other", "Value": 1.0}]}, {"quotas"}),
        ("BatchGetBuilds", {"builds": [{"buildStatus": "FAILED", "source": {"type": "GITHUB"}}]}, {"build"}),
        ("ListBuildsForProject", {"ids": []}, {"build"}),
    ],
)
def test_what_did_not_happen_is_not_seen(aws: StubAws, operation: str, changed: dict[str, Any], lost: set[str]) -> None:
    answer = {**aws.answers[operation]({}), **changed}
    aws.answers[operation] = lambda _: answer
    assert set(QUESTIONS) - set(record(run_of(aws), "eu-west-1", {})["seen"]) == lost


@pytest.mark.parametrize(
    "event",
    [
        deletion(userIdentity={"arn": f"arn:aws:sts::{HERE}:assumed-role/Admin/ada"}),
        deletion(errorCode="ValidationException"),
        deletion(requestParameters={"endpointName": "house-prices-production"}),
    ],
)
def test_an_endpoint_that_another_deleted_or_nobody_has_not_removed_itself(aws: StubAws, event: dict[str, Any]) -> None:
    aws.answers["LookupEvents"] = lambda _: {"Events": [{"CloudTrailEvent": json.dumps(event)}]}
    assert set(QUESTIONS) - set(record(run_of(aws), "eu-west-1", {})["seen"]) == {"removal"}


def test_what_comes_from_the_cache_has_not_run(aws: StubAws) -> None:
    steps = aws.answers["ListPipelineExecutionSteps"]({})["PipelineExecutionSteps"]
    cached = [{**each, "CacheHitResult": {"SourcePipelineExecutionArn": EXECUTION}} for each in steps]
    aws.answers["ListPipelineExecutionSteps"] = lambda _: {"PipelineExecutionSteps": cached}
    assert set(QUESTIONS) - set(record(run_of(aws), "eu-west-1", {})["seen"]) == {"jobs", "metrics"}


@pytest.mark.e2e
def test_an_endpoint_that_answers_otherwise_and_a_deployment_by_hand_are_not_seen(aws: StubAws) -> None:
    by_hand = [{"build": None, "who": "ada, who approved it", "outcome": "serves"}]
    failed = [{"build": "b", "who": "ada, who approved it", "outcome": "failed"}]
    for history in (by_hand, failed):
        seen = record(run_of(aws, history=history, golden=lambda _: None), "eu-west-1", {})["seen"]
        assert set(QUESTIONS) - set(seen) == {"endpoint", "approval_build"}


def test_a_question_that_is_denied_is_unanswered_and_the_others_are_asked(aws: StubAws) -> None:
    aws.answers["DescribeEndpoint"] = refuse("AccessDeniedException", "no")
    found = record(run_of(aws), "eu-west-1", {})
    denied = "DescribeEndpoint: AccessDeniedException"
    assert found["unanswered"] == {"endpoint": denied, "other_account": denied}
    assert "execution" in found["seen"]


def test_an_execution_that_goes_on_has_no_record(aws: StubAws) -> None:
    going = {**aws.answers["DescribePipelineExecution"]({}), "PipelineExecutionStatus": "Executing"}
    aws.answers["DescribePipelineExecution"] = lambda _: going
    with pytest.raises(InfrastructureError, match="is Executing: a record is of one that has ended"):
        record(run_of(aws), "eu-west-1", {})


LOCAL = "arn:aws:sagemaker:us-east-1:000000000000:pipeline/p/execution/e"


@pytest.mark.parametrize(
    ("url", "execution", "place"),
    [
        ("https://api.sagemaker.eu-west-1.amazonaws.com", EXECUTION, "aws"),
        ("https://api.sagemaker.cn-north-1.amazonaws.com.cn", EXECUTION, "aws"),
        ("https://vpce-1-a.api.sagemaker.eu-west-1.vpce.amazonaws.com:443/x", EXECUTION, "aws"),
        ("http://127.0.0.1:5599", EXECUTION, "local"),
        ("http://127.0.0.1:5599/amazonaws.com", EXECUTION, "local"),
        ("https://amazonaws.com.example.org", EXECUTION, "local"),
        ("https://evilamazonaws.com", EXECUTION, "local"),
        ("https://api.sagemaker.us-east-1.amazonaws.com", LOCAL, "local"),
    ],
)
def test_only_aws_itself_counts_as_aws(url: str, execution: str, place: str) -> None:
    assert where(url, execution) == place


def test_a_record_of_another_server_says_so(aws: StubAws) -> None:
    found = record(run_of(aws), "eu-west-1", {})
    assert found["where"] == "local"
    assert "it proves nothing of AWS" in found["note"]
