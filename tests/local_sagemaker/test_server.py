"""The server over real sockets: routing, errors, and who may ask."""

import json
import stat
import time
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_sagemaker.__main__ import main
from tests.local_sagemaker.conftest import processing


def post(server: Any, headers: dict[str, str], body: bytes = b"{}", path: str = "/") -> tuple[int, Any]:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("POST", path, body, headers)
    response = connection.getresponse()
    return response.status, json.loads(response.read())


LIST_MODELS = {"X-Amz-Target": "SageMaker.ListModels"}


def test_sagemakers_operations_are_answered_here(server: Any) -> None:
    status, answer = post(server, LIST_MODELS)
    assert (status, list(answer)) == (200, ["Models"])


def test_other_services_are_answered_by_the_control_plane(server: Any) -> None:
    assert server.client("sts").get_caller_identity()["Account"] == "000000000000"
    assert "test-bucket" in [bucket["Name"] for bucket in server.client("s3").list_buckets()["Buckets"]]


def test_a_service_that_is_not_supported_is_refused_by_name(server: Any) -> None:
    with pytest.raises(ClientError, match="does not support the service dynamodb"):
        server.client("dynamodb").list_tables()


def test_an_operation_that_is_not_supported_is_refused_by_name_and_not_retried(server: Any) -> None:
    with pytest.raises(ClientError, match="does not support the operation ListNotebookInstances") as caught:
        server.client("sagemaker").list_notebook_instances()
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


@pytest.mark.parametrize("host", ["evil.example.com", "evil.example.com:5599", "169.254.169.254", ""])
def test_a_request_for_another_host_is_refused(server: Any, host: str) -> None:
    status, answer = post(server, {**LIST_MODELS, "Host": host})
    assert status == 403
    assert "is not local" in answer["message"]


def test_a_page_of_another_site_is_refused_whatever_it_asks(server: Any) -> None:
    page = {"Origin": "https://evil.example.com", "Content-Type": "text/plain"}
    for path in ("/", "/test-bucket/key", "/endpoints/any/invocations"):
        status, answer = post(server, {**LIST_MODELS, **page}, path=path)
        assert (status, answer["__type"]) == (403, "AccessDenied")


def test_another_address_is_used_only_when_asked_for_and_with_a_warning(
    new_server: Callable[[], Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server = new_server()
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SAGEMAKER_LOCAL_ADDRESS", "")  # so that what main() sets goes with this test
    monkeypatch.delenv("SAGEMAKER_LOCAL_ADDRESS")
    assert main(["up", "--state", str(server.state), "--address", "0.0.0.0"]) == 0
    for text in (capsys.readouterr().err, (server.state / "server.log").read_text()):
        assert "listens on 0.0.0.0, not on the loopback interface only" in text
    assert post(server, {**LIST_MODELS, "Host": "192.168.7.7:1"})[0] == 200
    assert post(server, {**LIST_MODELS, "Host": "evil.example.com"})[0] == 403
    listening = [line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines() if line.split()[3] == "0A"]
    assert f"00000000:{server.port:04X}" in listening


def test_it_listens_on_the_loopback_interface_only_and_its_state_is_the_users_alone(server: Any) -> None:
    listening = [line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines() if line.split()[3] == "0A"]
    assert [address for address in listening if address.endswith(f":{server.port:04X}")] == [
        f"0100007F:{server.port:04X}"
    ]
    assert stat.S_IMODE(server.state.stat().st_mode) == 0o700


def test_a_key_that_would_leave_its_folder_fails_the_job_that_reads_it(server: Any, sagemaker: Any, s3: Any) -> None:
    s3.put_object(Bucket="test-bucket", Key="climbing/../../../escaped", Body=b"x")
    source = {
        "S3Uri": "s3://test-bucket/climbing/",
        "LocalPath": "/opt/ml/processing/input/data",
        "S3DataType": "S3Prefix",
        "S3InputMode": "File",
    }
    job = processing("true", ProcessingInputs=[{"InputName": "data", "S3Input": source}])
    sagemaker.create_processing_job(ProcessingJobName="climbing", **job)
    deadline = time.monotonic() + 30
    while (found := sagemaker.describe_processing_job(ProcessingJobName="climbing"))["ProcessingJobStatus"] not in (
        "Failed",
        "Completed",
    ):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert "would leave the input folder" in found["FailureReason"]
    assert not list(server.state.rglob("escaped"))


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1", "bucket.s3.localhost:5599", "[::1]:80"])
def test_a_request_for_a_local_name_is_answered(server: Any, host: str) -> None:
    assert post(server, {**LIST_MODELS, "Host": host})[0] == 200


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff"])
def test_a_body_that_is_no_json_object_is_refused(server: Any, body: bytes) -> None:
    status, answer = post(server, LIST_MODELS, body)
    assert (status, answer["__type"]) == (400, "SerializationException")


def test_an_endpoint_that_does_not_exist_is_named(server: Any) -> None:
    with pytest.raises(ClientError, match="Endpoint nowhere of account 000000000000 not found"):
        server.client("sagemaker-runtime").invoke_endpoint(EndpointName="nowhere", Body=b"1")


def test_a_body_over_the_services_limit_is_refused(server: Any) -> None:
    with pytest.raises(ClientError, match="larger than 6291456 bytes"):
        server.client("sagemaker-runtime").invoke_endpoint(EndpointName="any", Body=b"1" * (6 * 1024 * 1024 + 1))


def test_a_chunked_body_over_the_services_limit_is_refused_too(server: Any) -> None:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
    signature = (
        "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/sagemaker/aws4_request, SignedHeaders=host, Signature=0"
    )
    blocks = (b"1" * 1024 * 1024 for _ in range(7))
    connection.request("POST", "/endpoints/any/invocations", blocks, {"Authorization": signature}, encode_chunked=True)
    response = connection.getresponse()
    assert (response.status, b"larger than 6291456 bytes" in response.read()) == (413, True)


def test_the_arns_carry_the_region_of_the_request(server: Any) -> None:
    import boto3

    client = boto3.client(
        "sagemaker",
        endpoint_url=server.url,
        region_name="eu-west-1",
        aws_access_key_id="a",
        aws_secret_access_key="b",
    )
    arn = client.create_model_package_group(ModelPackageGroupName="european")["ModelPackageGroupArn"]
    assert arn == "arn:aws:sagemaker:eu-west-1:000000000000:model-package-group/european"


def test_motos_own_pages_are_not_served_so_that_nobody_forgets_everything(server: Any) -> None:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("POST", "/moto-api/reset")
    response = connection.getresponse()
    assert (response.status, b"AccessDenied" in response.read()) == (403, True)
    assert "test-bucket" in [bucket["Name"] for bucket in server.client("s3").list_buckets()["Buckets"]]
