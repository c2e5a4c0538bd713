"""The server over real sockets: routing, errors, and who may ask."""

import json
import re
import resource
import socket
import stat
import time
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from botocore import UNSIGNED
from botocore.exceptions import ClientError

from local_sagemaker.__main__ import main
from local_sagemaker.http.server import MOST_FILES, raise_file_limit
from tests.local_sagemaker.conftest import processing


def post(server: Any, headers: dict[str, str], body: bytes = b"{}", path: str = "/") -> tuple[int, Any]:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("POST", path, body, headers)
    response = connection.getresponse()
    return response.status, json.loads(response.read())


SIGNATURE = "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/{}/aws4_request, SignedHeaders=host, Signature=0"
LIST_MODELS = {"X-Amz-Target": "SageMaker.ListModels", "Authorization": SIGNATURE.format("sagemaker")}
SIGNED = "".join(f"{name}: {value}\r\n" for name, value in LIST_MODELS.items())
PUT = f"PUT /test-bucket/malformed HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {SIGNATURE.format('s3')}\r\n"


METRIC = {"MetricName": "rmse", "Timestamp": 1, "Value": 1.0}


def test_sagemakers_operations_are_answered_here(server: Any) -> None:
    status, answer = post(server, LIST_MODELS)
    assert (status, list(answer)) == (200, ["Models"])


def test_other_services_are_answered_by_the_control_plane(server: Any) -> None:
    assert server.client("sts").get_caller_identity()["Account"] == "000000000000"
    assert "test-bucket" in [bucket["Name"] for bucket in server.client("s3").list_buckets()["Buckets"]]


def test_a_service_that_is_not_supported_is_refused_by_name(server: Any) -> None:
    with pytest.raises(ClientError, match="does not support the service dynamodb"):
        server.client("dynamodb").list_tables()
    with pytest.raises(ClientError, match="does not support PUT /BatchPutMetrics of SageMaker's other services"):
        server.client("sagemaker-metrics").batch_put_metrics(TrialComponentName="t", MetricData=[METRIC])


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


def test_json_nested_too_deeply_is_refused(server: Any) -> None:
    status, answer = post(server, LIST_MODELS, b'{"a":' + b"[" * 200_000 + b"]" * 200_000 + b"}")
    assert (status, answer["__type"]) == (400, "SerializationException")


def test_a_document_over_the_limit_is_refused_before_it_is_read(server: Any) -> None:
    limit = 10 << 20
    status, answer = post(server, LIST_MODELS, b'{"NameContains":"' + b" " * limit + b'"}')
    assert (status, answer["__type"]) == (413, "RequestEntityTooLargeException")
    padding = limit - len(document := b'{"MaxResults":1}')
    assert post(server, LIST_MODELS, document + b" " * padding)[0] == 200
    assert post(server, LIST_MODELS, document + b" " * (padding + 1))[0] == 413


@pytest.mark.parametrize("path", ["/", "/./moto-api/reset", "/endpoints/any/invocations", "/test-bucket/key?uploads"])
def test_a_request_without_a_signature_is_refused(server: Any, path: str) -> None:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("POST", path, b"{}", {"Content-Type": "application/x-www-form-urlencoded"})
    response = connection.getresponse()
    assert (response.status, b"MissingAuthenticationToken" in response.read()) == (403, True)
    with pytest.raises(ClientError) as caught:
        server.client("sagemaker", signature_version=UNSIGNED).list_models()
    assert caught.value.response["Error"]["Code"] == "MissingAuthenticationToken"


def answers(server: Any, request: str) -> list[bytes]:
    """The status codes of all that comes back until the server closes the connection."""
    with socket.create_connection(("127.0.0.1", server.port), 10) as connection:
        connection.sendall(request.encode("latin-1"))
        connection.shutdown(socket.SHUT_WR)
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    return re.findall(rb"^HTTP/1\.1 (\d{3})", received, re.MULTILINE)


def test_a_json_body_may_come_in_chunks(server: Any) -> None:
    framed = 'd\r\n{"MaxResults"\r\n4\r\n: 0}\r\n0\r\n\r\n'
    head = f"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n{SIGNED}Transfer-Encoding: chunked\r\n\r\n"
    assert answers(server, head + framed) == [b"400"]  # MaxResults must be at least 1: it was read
    assert answers(server, head + framed.replace(": 0", ": 1")) == [b"200"]


@pytest.mark.parametrize(
    ("head", "body", "status"),
    [
        ("Content-Length: -5", "{}", b"400"),
        ("Content-Length: abc", "{}", b"400"),
        ("Content-Length: 99999999999999999999", "{}", b"400"),
        ("Content-Length: 10", "{}", b"400"),
        ("Content-Length: 9999999999", "{}", b"413"),
        ("Content-Length: 2\r\nContent-Length: 60", "{}GET / HTTP/1.1\r\n\r\n", b"400"),
        ("Content-Length: 2\r\nTransfer-Encoding: chunked", "2\r\n{}\r\n0\r\n\r\n", b"400"),
        ("Transfer-Encoding: chunked", "ZZ\r\n{}\r\n0\r\n\r\n", b"400"),
        ("Transfer-Encoding: chunked", "-2\r\n{}\r\n0\r\n\r\n", b"400"),
        ("Transfer-Encoding: chunked", "ff\r\n{}", b"400"),
        ("Transfer-Encoding: gzip", "{}", b"501"),
        ("Content-Length : 2", "{}", b"400"),
        ("Host: evil.example.com\r\nContent-Length: 2", "{}", b"400"),
        ("X-A:\r\n folded\r\nContent-Length: 2", "{}", b"400"),
        ("X-A: " + "a" * 200_000, "", b"431"),
    ],
)
@pytest.mark.parametrize("begin", [f"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n{SIGNED}", PUT])
def test_a_malformed_request_is_refused_once_stores_nothing_and_ends_the_connection(
    server: Any, s3: Any, begin: str, head: str, body: str, status: bytes
) -> None:
    if begin == PUT and status == b"413":  # an object may be of any size; this one is not complete
        status = b"400"
    assert answers(server, f"{begin}{head}\r\n\r\n{body}") == [status]
    assert s3.list_objects_v2(Bucket="test-bucket", Prefix="malformed")["KeyCount"] == 0


def test_an_endpoint_that_does_not_exist_is_named(server: Any) -> None:
    with pytest.raises(ClientError, match="Endpoint nowhere of account 000000000000 not found"):
        server.client("sagemaker-runtime").invoke_endpoint(EndpointName="nowhere", Body=b"1")


def test_a_body_over_the_services_limit_is_refused(server: Any) -> None:
    with pytest.raises(ClientError, match="larger than 6291456 bytes"):
        server.client("sagemaker-runtime").invoke_endpoint(EndpointName="any", Body=b"1" * (6 * 1024 * 1024 + 1))


def test_a_chunked_body_over_the_services_limit_is_refused_too(server: Any) -> None:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
    blocks = (b"1" * 1024 * 1024 for _ in range(7))
    connection.request(
        "POST",
        "/endpoints/any/invocations",
        blocks,
        {"Authorization": SIGNATURE.format("sagemaker")},
        encode_chunked=True,
    )
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
    connection.request("POST", "/moto-api/reset", headers={"Authorization": SIGNATURE.format("s3")})
    response = connection.getresponse()
    assert (response.status, b"AccessDenied" in response.read()) == (403, True)
    assert "test-bucket" in [bucket["Name"] for bucket in server.client("s3").list_buckets()["Buckets"]]


@pytest.mark.parametrize(
    ("limits", "raised"),
    [
        ((1024, 524288), MOST_FILES),
        ((1024, 4096), 4096),
        ((1024, resource.RLIM_INFINITY), MOST_FILES),
        ((MOST_FILES, 524288), None),
        ((resource.RLIM_INFINITY, resource.RLIM_INFINITY), None),
    ],
)
def test_the_server_opens_as_many_files_as_the_system_allows_and_no_fewer_than_before(
    monkeypatch: pytest.MonkeyPatch, limits: tuple[int, int], raised: int | None
) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits)
    monkeypatch.setattr(resource, "setrlimit", lambda _, wanted: asked.append(wanted))
    raise_file_limit()
    assert asked == ([] if raised is None else [(raised, limits[1])])
