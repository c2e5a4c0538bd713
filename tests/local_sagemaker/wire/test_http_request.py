"""A request is read once, the same for every protocol."""

import io

import pytest

from local_sagemaker.errors import ServiceError
from local_sagemaker.wire.http_request import HttpRequest

HEADER = "AWS4-HMAC-SHA256 Credential=AKIA/20260101/eu-west-1/{service}/aws4_request, SignedHeaders=host, Signature=x"


def posted(body: bytes, **environ: str) -> HttpRequest:
    return HttpRequest(
        {"REQUEST_METHOD": "POST", "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body)), **environ}
    )


@pytest.mark.parametrize(
    ("environ", "key", "region", "service"),
    [
        ({"HTTP_AUTHORIZATION": HEADER.format(service="sagemaker")}, "AKIA", "eu-west-1", "sagemaker"),
        ({"HTTP_AUTHORIZATION": HEADER.format(service="monitoring")}, "AKIA", "eu-west-1", "cloudwatch"),
        ({"QUERY_STRING": "X-Amz-Credential=AKIA%2F20260101%2Feu-west-1%2Fs3&X-Amz-Signature=x"}, "AKIA", "", "s3"),
        ({"QUERY_STRING": "AWSAccessKeyId=AKIA&Signature=x&Expires=1"}, "AKIA", "", "s3"),
        ({"HTTP_AUTHORIZATION": "AWS AKIA:signature"}, "", "", "s3"),
    ],
)
def test_a_signature_says_who_asks_which_service(environ: dict[str, str], key: str, region: str, service: str) -> None:
    request = HttpRequest(dict(environ))
    assert request.signature.present
    assert (request.signature.access_key, request.signature.region, request.service) == (key, region, service)


def test_without_a_signature_it_is_a_request_to_s3_of_nobody() -> None:
    request = HttpRequest({"QUERY_STRING": "list-type=2", "HTTP_AUTHORIZATION": "Bearer x"})
    assert not request.signature.present
    assert (request.signature.access_key, request.service) == ("", "s3")


def test_the_operation_is_in_the_target_or_in_the_form() -> None:
    assert HttpRequest({"HTTP_X_AMZ_TARGET": "SageMaker.CreateModel"}).target == ("SageMaker", "CreateModel")
    request = posted(b"Action=GetRole&RoleName=", CONTENT_TYPE="application/x-www-form-urlencoded; charset=utf-8")
    request.read(None, "TooLarge")
    assert (request.action, request.form["RoleName"]) == ("GetRole", "")
    assert posted(b"Action=GetRole", CONTENT_TYPE="text/plain").action == ""


@pytest.mark.parametrize("length", ["", "5"])
def test_a_body_of_the_limit_is_read_and_a_longer_one_refused(length: str) -> None:
    request = posted(b"12345", CONTENT_LENGTH=length)
    assert request.read(5, "TooLarge") == request.body == b"12345"
    with pytest.raises(ServiceError, match="larger than 4 bytes") as refusal:
        posted(b"12345", CONTENT_LENGTH=length).read(4, "TooLarge")
    assert (refusal.value.code, refusal.value.status) == ("TooLarge", 413)


def test_a_body_that_says_it_is_too_long_is_not_read() -> None:
    request = posted(b"12345")
    with pytest.raises(ServiceError):
        request.read(4, "TooLarge")
    assert request.environ["wsgi.input"].read() == b"12345"


def test_who_reads_after_us_finds_the_whole_body_and_its_length() -> None:
    request = posted(b"12345", CONTENT_LENGTH="", HTTP_TRANSFER_ENCODING="chunked")
    request.read(None, "TooLarge")
    assert request.environ["wsgi.input"].read() == b"12345"
    assert request.environ["CONTENT_LENGTH"] == "5"
    assert "Transfer-Encoding" not in request.headers
