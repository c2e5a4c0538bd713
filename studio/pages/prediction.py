"""Trying an endpoint: the request is sent, the answer read, and the same request written for other programs."""

import json
import shlex
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from studio.account.account import Account
from studio.account.attempts import Answer, attempt
from studio.pages.metrics import is_number

LIST_KEYS = ("predictions", "instances", "outputs")
VALUE_KEYS = ("score", "prediction", "predicted_value", "predicted_label", "value")
BOUND_KEYS = (("lower", "upper"), ("lower_bound", "upper_bound"))
MOST_SHOWN = 20


@dataclass(frozen=True)
class Prediction:
    """One row of an answer: its value, the interval where there is one, and what else came with it."""

    value: Any
    interval: tuple[float, float] | None
    rest: Mapping[str, Any]


@dataclass(frozen=True)
class Reply:
    """What the endpoint answered, and how long that took."""

    body: str
    content_type: str
    variant: str
    seconds: float
    predictions: tuple[Prediction, ...]
    coverage: float | None


def predict(account: Account, endpoint: str, body: bytes, content_type: str) -> Answer[Reply]:
    """Send one request."""
    return attempt(lambda: _invoke(account, endpoint, body, content_type))


def _invoke(account: Account, endpoint: str, body: bytes, content_type: str) -> Reply:
    began = time.perf_counter()
    answer = account.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=endpoint, Body=body, ContentType=content_type
    )
    text = answer["Body"].read().decode("utf-8", "replace")
    seconds = time.perf_counter() - began
    rows, coverage = read_answer(text)
    return Reply(
        text, answer.get("ContentType", ""), answer.get("InvokedProductionVariant", ""), seconds, rows, coverage
    )


def read_answer(text: str) -> tuple[tuple[Prediction, ...], float | None]:
    """The rows of an answer in the layouts of SageMaker's algorithms: {"predictions": [{"score": 1}]}, or lines."""
    try:
        document = json.loads(text)
    except ValueError:
        document = [line.split(",") if "," in line else line for line in text.split()]
    coverage = document.get("coverage") if isinstance(document, Mapping) else None
    if isinstance(document, Mapping):
        document = next((document[key] for key in LIST_KEYS if isinstance(document.get(key), list)), [document])
    rows = document if isinstance(document, list) else [document]
    return tuple(_row(row) for row in rows[:MOST_SHOWN]), coverage if is_number(coverage) else None


def _row(row: Any) -> Prediction:
    if not isinstance(row, Mapping):
        return Prediction(row, None, {})
    rest = dict(row)
    name = next((key for key in VALUE_KEYS if key in rest), None)
    value = rest.pop(name) if name else None
    for low, high in BOUND_KEYS:
        if is_number(rest.get(low)) and is_number(rest.get(high)):
            return Prediction(value, (rest.pop(low), rest.pop(high)), rest)
    return Prediction(value, None, rest)


def snippets(account: Account, endpoint: str, body: bytes, content_type: str) -> dict[str, str]:
    """The same request for a shell with curl, for Python, and for the AWS CLI; each works as it is copied.

    On AWS, curl takes the credentials of the environment, as `aws configure export-credentials --format env` sets them.
    """
    text = body.decode("utf-8", "replace")
    host = account.endpoint_url or f"https://runtime.sagemaker.{account.region}.amazonaws.com"
    user, token = '"$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY"', '\n  -H "x-amz-security-token: $AWS_SESSION_TOKEN" \\'
    if account.is_local:
        user, token = "local:local", ""
    curl = (
        f"curl --aws-sigv4 aws:amz:{account.region}:sagemaker --user {user} \\{token}\n"
        f"  -H 'Content-Type: {content_type}' --data-binary {shlex.quote(text)} \\\n"
        f"  {host}/endpoints/{endpoint}/invocations"
    )
    return {
        "curl": curl,
        "boto3": _python(account, endpoint, text, content_type),
        "AWS CLI": _cli(account, endpoint, text, content_type),
    }


def _python(account: Account, endpoint: str, text: str, content_type: str) -> str:
    options = f'region_name="{account.region}"'
    if account.is_local:
        options += f', endpoint_url="{account.endpoint_url}"'
        options += ', aws_access_key_id="local", aws_secret_access_key="local"'
    return (
        "import boto3\n\n"
        f'runtime = boto3.client("sagemaker-runtime", {options})\n'
        f"body = {text!r}\n"
        f'answer = runtime.invoke_endpoint(EndpointName="{endpoint}", ContentType="{content_type}", Body=body)\n'
        'print(answer["Body"].read().decode())'
    )


def _cli(account: Account, endpoint: str, text: str, content_type: str) -> str:
    local = f" --endpoint-url {account.endpoint_url}" if account.is_local else ""
    credentials = "AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local " if account.is_local else ""
    return (
        f"printf %s {shlex.quote(text)} > payload.txt\n"
        f"{credentials}aws sagemaker-runtime invoke-endpoint --region {account.region}{local} \\\n"
        f"  --endpoint-name {endpoint} --content-type {content_type} --body fileb://payload.txt /dev/stdout"
    )
