"""Models, endpoint configurations and endpoints with real model processes behind them."""

import io
import os
import signal
import tarfile
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local_sagemaker.conftest import IMAGE, ROLE

HANDLERS = """
def model_fn(model_dir):
    return {word!r}
def input_fn(body, content_type):
    return body.decode() if isinstance(body, bytes) else body
def predict_fn(data, model):
    if data == "fail":
        raise ValueError("no prediction for that")
    return model + " " + data
def output_fn(prediction, accept):
    return prediction, "text/plain"
"""


def make_model(sagemaker: Any, s3: Any, word: str, code: str = HANDLERS) -> str:
    """A model that answers with a word of its own; `code` replaces its handlers."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        data = code.replace("{word!r}", repr(word)).encode()
        member = tarfile.TarInfo("code/inference.py")
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    s3.put_object(Bucket="test-bucket", Key=f"{word}/model.tar.gz", Body=stream.getvalue())
    name = f"model-{word}-{time.time_ns()}"
    container = {
        "Image": IMAGE,
        "ModelDataUrl": f"s3://test-bucket/{word}/model.tar.gz",
        "Environment": {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"},
    }
    sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=ROLE)
    return name


@pytest.fixture
def model(sagemaker: Any, s3: Any) -> Callable[..., str]:
    """Makes models on the shared server."""
    return partial(make_model, sagemaker, s3)


def configure(sagemaker: Any, model_name: str, **fields: Any) -> str:
    """An endpoint configuration with one variant."""
    name = f"config-{time.time_ns()}"
    variant = {"VariantName": "main", "ModelName": model_name, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant], **fields)
    return name


def settle(sagemaker: Any, endpoint: str) -> dict[str, Any]:
    """The endpoint once it is not changing any more."""
    deadline = time.monotonic() + 30
    while True:
        found: dict[str, Any] = sagemaker.describe_endpoint(EndpointName=endpoint)
        if found["EndpointStatus"] not in ("Creating", "Updating"):
            return found
        assert time.monotonic() < deadline
        time.sleep(0.05)


def ask(server: Any, endpoint: str, text: str) -> str:
    answer = server.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=endpoint, Body=text.encode(), ContentType="text/plain"
    )
    assert answer["InvokedProductionVariant"] == "main"
    return str(answer["Body"].read().decode())


def test_an_endpoint_answers_with_its_model_and_an_update_with_the_next(
    server: Any, sagemaker: Any, model: Callable[..., str]
) -> None:
    sagemaker.create_endpoint(EndpointName="updated", EndpointConfigName=configure(sagemaker, model("first")))
    assert settle(sagemaker, "updated")["EndpointStatus"] == "InService"
    assert ask(server, "updated", "x") == "first x"
    second = configure(sagemaker, model("second"))
    sagemaker.update_endpoint(EndpointName="updated", EndpointConfigName=second)
    while sagemaker.describe_endpoint(EndpointName="updated")["EndpointStatus"] == "Updating":
        assert ask(server, "updated", "y") in ("first y", "second y")
    described = settle(sagemaker, "updated")
    assert described["EndpointConfigName"] == second
    assert described["ProductionVariants"][0]["VariantName"] == "main"
    assert ask(server, "updated", "z") == "second z"


def test_a_failed_update_leaves_the_old_model_serving_and_says_why(
    server: Any, sagemaker: Any, model: Callable[..., str]
) -> None:
    good = configure(sagemaker, model("good"))
    sagemaker.create_endpoint(EndpointName="kept", EndpointConfigName=good)
    settle(sagemaker, "kept")
    broken = configure(sagemaker, model("broken", "raise RuntimeError('cannot load')"))
    sagemaker.update_endpoint(EndpointName="kept", EndpointConfigName=broken)
    described = settle(sagemaker, "kept")
    assert (described["EndpointStatus"], described["EndpointConfigName"]) == ("InService", good)
    assert "cannot load" in described["FailureReason"]
    assert ask(server, "kept", "x") == "good x"


def test_an_endpoint_whose_model_does_not_start_has_failed_and_says_why(
    server: Any, sagemaker: Any, model: Callable[..., str]
) -> None:
    config = configure(sagemaker, model("dead", "raise RuntimeError('cannot load')"))
    sagemaker.create_endpoint(EndpointName="dead", EndpointConfigName=config)
    described = settle(sagemaker, "dead")
    assert described["EndpointStatus"] == "Failed"
    assert "cannot load" in described["FailureReason"]
    with pytest.raises(ClientError, match="dead is Failed"):
        ask(server, "dead", "x")


def test_the_models_error_reaches_the_client_as_a_model_error(
    server: Any, sagemaker: Any, model: Callable[..., str]
) -> None:
    sagemaker.create_endpoint(EndpointName="errors", EndpointConfigName=configure(sagemaker, model("errors")))
    settle(sagemaker, "errors")
    with pytest.raises(ClientError) as caught:
        ask(server, "errors", "fail")
    response = caught.value.response
    assert response["Error"]["Code"] == "ModelError"
    assert response["OriginalStatusCode"] == 500
    assert "no prediction for that" in response["OriginalMessage"]


def test_a_deleted_endpoint_is_gone_with_its_processes(server: Any, sagemaker: Any, model: Callable[..., str]) -> None:
    sagemaker.create_endpoint(EndpointName="deleted", EndpointConfigName=configure(sagemaker, model("deleted")))
    settle(sagemaker, "deleted")
    sagemaker.delete_endpoint(EndpointName="deleted")
    with pytest.raises(ClientError, match="not found"):
        ask(server, "deleted", "x")
    with pytest.raises(ClientError, match="Could not find endpoint"):
        sagemaker.describe_endpoint(EndpointName="deleted")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (
            {
                "DataCaptureConfig": {
                    "EnableCapture": True,
                    "InitialSamplingPercentage": 100,
                    "DestinationS3Uri": "s3://test-bucket/c",
                    "CaptureOptions": [{"CaptureMode": "Input"}],
                }
            },
            "data capture",
        ),
        ({"AsyncInferenceConfig": {"OutputConfig": {"S3OutputPath": "s3://test-bucket/a"}}}, "asynchronous"),
    ],
)
def test_what_hosting_cannot_do_is_refused_by_name(
    sagemaker: Any, model: Callable[..., str], fields: dict[str, Any], words: str
) -> None:
    with pytest.raises(ClientError, match=f"does not support {words}"):
        configure(sagemaker, model("any"), **fields)


def test_a_model_that_does_not_exist_is_named(sagemaker: Any) -> None:
    with pytest.raises(ClientError, match=r'Could not find model "arn:.*:model/nothing"'):
        configure(sagemaker, "nothing")


def test_endpoints_serve_again_after_a_kill_of_the_server(new_server: Callable[[], Any]) -> None:
    server = new_server()
    pid = server.up().pid
    sagemaker, s3 = server.client("sagemaker"), server.client("s3")
    s3.create_bucket(Bucket="test-bucket")
    config = configure(sagemaker, make_model(sagemaker, s3, "again"))
    sagemaker.create_endpoint(EndpointName="again", EndpointConfigName=config)
    settle(sagemaker, "again")
    os.kill(pid, signal.SIGKILL)
    server.up()
    assert settle(sagemaker, "again")["EndpointStatus"] == "InService"
    assert ask(server, "again", "x") == "again x"
