"""What AWS refuses is told in one sentence."""

from typing import Any

import boto3
import pytest
from botocore import exceptions
from botocore.config import Config
from botocore.exceptions import ClientError

from pipelines.aws_errors import explain


def refused(code: str, message: str, **fields: str) -> ClientError:
    response: Any = {"Error": {"Code": code, "Message": message, **fields}}
    return ClientError(response, "CreateModel")


DENIED = (
    "User: arn:aws:sts::1:assumed-role/build/x is not authorized to perform: sagemaker:CreateModel on resource: "
    "arn:aws:sagemaker:eu-west-1:1:model/m because no identity-based policy allows the sagemaker:CreateModel action"
)


@pytest.mark.parametrize(
    ("error", "parts"),
    [
        (
            refused("AccessDeniedException", DENIED),
            [
                "arn:aws:sts::1:assumed-role/build/x may not call sagemaker:CreateModel on arn:aws:sagemaker",
                "IAM policy",
            ],
        ),
        (
            refused("AccessDenied", "Access Denied"),
            ["The caller may not call CreateModel (Access Denied)", "IAM policy"],
        ),
        (refused("ThrottlingException", "Rate exceeded"), ["throttling CreateModel", "wait a minute"]),
        (refused("ExpiredTokenException", "expired"), ["credentials have expired", "aws sso login"]),
        (
            refused("UnrecognizedClientException", "invalid"),
            ["does not accept these credentials", "get-caller-identity"],
        ),
        (refused("NoSuchBucket", "none", BucketName="b-1"), ["S3 bucket b-1 does not exist"]),
        (refused("ResourceLimitExceeded", "0 instances of ml.m5"), ["limit of the AWS account: 0 instances of ml.m5"]),
        (refused("ValidationException", "a\n  b"), ["CreateModel was refused with ValidationException: a b"]),
        (exceptions.NoCredentialsError(), ["No AWS credentials", "--local"]),
        (exceptions.NoRegionError(), ["AWS_DEFAULT_REGION"]),
        (exceptions.ProfileNotFound(profile="p"), ["AWS_PROFILE"]),
        (exceptions.ParamValidationError(report="Missing x\nand y"), ["not sent", "Missing x and y"]),
        (ValueError("plain"), ["plain"]),
    ],
)
def test_the_sentence_says_what_was_refused_and_what_to_do(error: Exception, parts: list[str]) -> None:
    sentence = explain(error)
    assert "\n" not in sentence
    for part in parts:
        assert part in sentence


def nobody_listens() -> Exception:
    client = boto3.client(
        "sagemaker",
        endpoint_url="http://127.0.0.1:9",
        region_name="eu-west-1",
        aws_access_key_id="a",
        aws_secret_access_key="b",
        config=Config(retries={"total_max_attempts": 1}),
    )
    with pytest.raises(exceptions.EndpointConnectionError) as caught:
        client.list_models()
    return caught.value


def test_a_port_where_nobody_listens_is_named() -> None:
    assert explain(nobody_listens()).startswith("AWS cannot be reached")


def test_local_sagemaker_that_has_ended_is_not_taken_for_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("SAGEMAKER_LOCAL_STATE", "/the/state")
    text = explain(nobody_listens())
    assert text.startswith("Local SageMaker on http://127.0.0.1:9 has ended, or does not answer (")
    assert "its log is /the/state/server.log. Run the command again" in text
