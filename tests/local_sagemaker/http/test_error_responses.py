"""A refusal is read by the client of any protocol, also of a service that is not here."""

from typing import Any

import pytest
from botocore.parsers import create_parser
from botocore.session import get_session

from local_sagemaker.errors import invalid
from local_sagemaker.http.error_responses import error_response
from local_sagemaker.wire.http_request import HttpRequest

SCOPE = "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=x"
FORM = {"CONTENT_TYPE": "application/x-www-form-urlencoded; charset=utf-8"}


@pytest.mark.parametrize(
    ("service", "signed", "protocol", "more"),
    [
        ("ec2", "ec2", "ec2", FORM),
        ("cloudformation", "cloudformation", "query", FORM),
        ("autoscaling", "autoscaling", "query", FORM),
        ("iam", "iam", "query", FORM),
        ("route53", "route53", "rest-xml", {}),
        ("s3", "s3", "rest-xml", {}),
        ("lambda", "lambda", "rest-json", {}),
        ("stepfunctions", "states", "json", {"HTTP_X_AMZ_TARGET": "AWSStepFunctions.ListStateMachines"}),
        ("cloudwatch", "monitoring", "smithy-rpc-v2-cbor", {"HTTP_SMITHY_PROTOCOL": "rpc-v2-cbor"}),
    ],
)
def test_the_client_reads_code_and_message(service: str, signed: str, protocol: str, more: dict[str, str]) -> None:
    environ: dict[str, Any] = {"HTTP_AUTHORIZATION": SCOPE.format(service=signed), **more}
    status, headers, body = error_response(HttpRequest(environ), invalid("No <such> thing é."))
    model = get_session().get_service_model(service)
    assert protocol in (model.metadata["protocol"], *model.metadata.get("protocols", []))
    response = {"status_code": int(status.split()[0]), "headers": {k.lower(): v for k, v in headers}, "body": body}
    shape = model.operation_model(model.operation_names[0]).output_shape
    error = create_parser(protocol).parse(response, shape)["Error"]
    assert (error["Code"], error["Message"]) == ("ValidationException", "No <such> thing é.")
