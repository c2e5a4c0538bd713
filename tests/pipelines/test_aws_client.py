"""Each call of an upsert can be refused or throttled: what is missing, for whom and on what is told."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pipelines.aws_client import make_client
from pipelines.aws_errors import explain
from pipelines.definition.bundle import Bundle
from pipelines.definition.compilation import Compiled
from pipelines.definition.job_code import JobCode
from pipelines.definition.revision import Revision
from pipelines.errors import PipelineError
from pipelines.images.image import image
from pipelines.publishing.deployed import describe_deployed
from pipelines.publishing.publish import Published, Upsert, require_role
from pipelines.settings.environment import Environment
from tests.aws_stub import REGION, Refusal, StubAws, arn, now

CODE = JobCode("p", {"steps.a": Bundle({"steps/a.py": b"a"})}, image("3.2-0"))
COMPILED = Compiled("p-training", "a test", '{"Steps": []}', CODE, "abc")
ENVIRONMENT = Environment.from_env({"SAGEMAKER_BUCKET": "bucket", "AWS_REGION": REGION})
PIPELINE = arn("pipeline/p-training")
WHO = "arn:aws:sts::123456789012:assumed-role/build/ada"


@pytest.fixture
def deployed(aws: StubAws) -> dict[str, Any]:
    """An AWS with the pipeline in another form, so that an upsert makes every call of an update."""
    aws.calls.clear()
    aws.objects.clear()
    found = {"PipelineArn": PIPELINE, "PipelineDefinition": "{}", "LastModifiedTime": now(), "RoleArn": "r"}
    aws.answers.clear()
    aws.answers.update(
        DescribePipeline=lambda _: found,
        ListTags=lambda _: {"Tags": []},
        AddTags=lambda _: {"Tags": []},
        UpdatePipeline=lambda _: {"PipelineArn": PIPELINE, "PipelineVersionId": 8},
    )
    return found


def client(aws: StubAws, service: str) -> Any:
    """As the commands make it, at the stub."""
    return make_client(service, REGION, endpoint_url=aws.url, aws_access_key_id="x", aws_secret_access_key="x")


def upsert(aws: StubAws) -> Published:
    sagemaker, s3 = client(aws, "sagemaker"), client(aws, "s3")
    seen = describe_deployed(sagemaker, COMPILED.name)
    return Upsert(COMPILED, ENVIRONMENT, Revision("abc"), seen).run(sagemaker, s3)


def refuse(code: str, message: str, status: int = 400) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def answer(request: dict[str, Any]) -> dict[str, Any]:
        raise Refusal(code, message, status)

    return answer


def test_an_update_says_the_version_that_it_made(aws: StubAws, deployed: dict[str, Any]) -> None:
    assert upsert(aws) == Published(PIPELINE, "updated", True, 8)


@pytest.mark.parametrize(
    ("operation", "code", "words"),
    [
        ("DescribePipeline", "AccessDeniedException", "sagemaker:DescribePipeline on p-training"),
        ("AddTags", "AccessDeniedException", f"sagemaker:AddTags on {PIPELINE}"),
        ("UpdatePipeline", "AccessDeniedException", "sagemaker:UpdatePipeline on p-training"),
        ("CreatePipeline", "AccessDeniedException", "sagemaker:CreatePipeline on p-training"),
        ("PutObject", "AccessDenied", "s3:PutObject on arn:aws:s3:::bucket/p/"),
        ("HeadObject", "AccessDenied", f"s3:GetObject on arn:aws:s3:::bucket/{CODE.wheel_list_key}"),
    ],
)
def test_a_call_that_is_denied_names_who_may_not_do_what_on_what(
    aws: StubAws, deployed: dict[str, Any], operation: str, code: str, words: str
) -> None:
    aws.answers[operation] = refuse(code, "Access Denied", 403)
    if operation == "CreatePipeline":
        aws.answers["DescribePipeline"] = refuse("ResourceNotFound", "Pipeline does not exist.")
    with pytest.raises(ClientError) as caught:
        upsert(aws)
    sentence = explain(caught.value)
    assert sentence.startswith(f"{WHO} may not call {words}")
    assert "that caller's IAM policy must allow it" in sentence
    assert ("s3:ListBucket on arn:aws:s3:::bucket" in sentence) is (operation == "HeadObject")


def test_a_denial_that_aws_explains_itself_is_given_in_its_words(aws: StubAws, deployed: dict[str, Any]) -> None:
    role = ENVIRONMENT.role_arn
    aws.answers["UpdatePipeline"] = refuse(
        "AccessDeniedException", f"User: {WHO} is not authorized to perform: iam:PassRole on resource: {role} because x"
    )
    with pytest.raises(ClientError) as caught:
        upsert(aws)
    assert explain(caught.value) == (
        f"{WHO} may not call iam:PassRole on {role}: that caller's IAM policy must allow it."
    )


def test_tags_that_may_not_be_read_are_named_where_they_matter(aws: StubAws, deployed: dict[str, Any]) -> None:
    from datetime import datetime, timezone

    aws.answers["ListTags"] = refuse("AccessDeniedException", "no")
    sagemaker, s3 = client(aws, "sagemaker"), client(aws, "s3")
    committed = Revision("abc", committed=datetime.now(timezone.utc))
    seen = describe_deployed(sagemaker, COMPILED.name)
    with pytest.raises(ClientError) as caught:
        Upsert(COMPILED, ENVIRONMENT, committed, seen).run(sagemaker, s3)
    assert f"may not call sagemaker:ListTags on {PIPELINE}" in explain(caught.value)


def test_nothing_is_updated_where_the_code_cannot_be_uploaded(aws: StubAws, deployed: dict[str, Any]) -> None:
    aws.answers["PutObject"] = refuse("AccessDenied", "Access Denied", 403)
    with pytest.raises(ClientError):
        upsert(aws)
    assert not {"AddTags", "UpdatePipeline"} & {name for name, _ in aws.calls}


def test_throttling_is_waited_out_with_growing_pauses(
    aws: StubAws, deployed: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    left = [2]

    def busy(request: dict[str, Any]) -> dict[str, Any]:
        if left[0]:
            left[0] -= 1
            raise Refusal("ThrottlingException", "Rate exceeded")
        return {"PipelineArn": PIPELINE}

    aws.answers["UpdatePipeline"] = busy
    assert upsert(aws).action == "updated"
    assert len(aws.asked("UpdatePipeline")) == 3
    assert len(pauses) == 2


def test_throttling_that_does_not_end_is_reported_with_the_attempts(
    aws: StubAws, deployed: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)
    aws.answers["UpdatePipeline"] = refuse("ThrottlingException", "Rate exceeded")
    with pytest.raises(ClientError) as caught:
        upsert(aws)
    assert len(aws.asked("UpdatePipeline")) == 5
    assert explain(caught.value) == (
        "AWS is throttling UpdatePipeline, 5 attempts with growing pauses included (Rate exceeded): "
        "wait a minute and run it again."
    )


def test_a_caller_who_may_not_look_at_roles_is_not_stopped_by_it(aws: StubAws) -> None:
    aws.answers.clear()
    aws.answers["GetRole"] = refuse("AccessDenied", "not yours", 403)
    require_role(client(aws, "iam"), ENVIRONMENT.role_arn)
    aws.answers["GetRole"] = refuse("NoSuchEntity", "no such role", 404)
    with pytest.raises(PipelineError, match="does not exist: create it"):
        require_role(client(aws, "iam"), ENVIRONMENT.role_arn)
