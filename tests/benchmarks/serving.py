"""InvokeEndpoint through the server against the same request to the model process itself."""

import io
import re
import statistics
import tarfile
import time
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import boto3
from rows import Row, warm_server

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.2-0"
ROLE = "arn:aws:iam::000000000000:role/jobs"
REQUESTS = 1000
HANDLERS = """
import json
def model_fn(model_dir):
    return None
def input_fn(body, content_type):
    return [float(value) for value in body.split(",")]
def predict_fn(data, model):
    return sum(data)
def output_fn(prediction, accept):
    return json.dumps([prediction]), "application/json"
"""
BODY = b"1.5,2.5,3.5"
SIGNED = "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/sagemaker/aws4_request, SignedHeaders=host, Signature=0"


def serving_rows(folder: Path) -> list[Row]:
    """p50 and p99 of a small request, in milliseconds."""
    with warm_server(folder) as environment:
        port = int(environment["SAGEMAKER_LOCAL_PORT"])
        deploy(f"http://127.0.0.1:{port}")
        model_port = _model_port(f"http://127.0.0.1:{port}")
        direct: list[float] = []
        through: list[float] = []
        for _ in range(4):  # in turns, so that what else the machine does meets both
            direct += _latencies(model_port, "/invocations", {})
            through += _latencies(port, "/endpoints/bench/invocations", {"Authorization": SIGNED})
    rows = []
    for name, part in (("p50", 50), ("p99", 99)):
        measured, reference = (statistics.quantiles(found, n=100)[part - 1] for found in (through, direct))
        rows.append(Row(f"InvokeEndpoint {name}, ms / the model process directly", measured, reference, 3))
    added = statistics.median(through) - statistics.median(direct)
    return [*rows, Row("InvokeEndpoint adds at the median, ms / 1 ms", added, 1.0, 1.0)]


def _latencies(port: int, path: str, headers: dict[str, str]) -> list[float]:
    """Milliseconds of each request, one after another on one connection as far as the server keeps it."""
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Content-Type": "text/csv", "Accept": "application/json", **headers}
    found = []
    for number in range(REQUESTS // 4 + 20):
        start = time.perf_counter()
        connection.request("POST", path, BODY, headers)
        response = connection.getresponse()
        answer = response.read()
        if number >= 20:  # after those that warm up
            found.append((time.perf_counter() - start) * 1000)
        if answer != b"[7.5]":
            raise SystemExit(f"{path} on port {port} answered {response.status}: {answer!r}")
    connection.close()
    return found


def deploy(url: str) -> None:
    options: Any = {
        "endpoint_url": url,
        "region_name": "us-east-1",
        "aws_access_key_id": "local",
        "aws_secret_access_key": "local",
    }
    s3, sagemaker = boto3.client("s3", **options), boto3.client("sagemaker", **options)
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        member = tarfile.TarInfo("code/inference.py")
        member.size = len(HANDLERS)
        archive.addfile(member, io.BytesIO(HANDLERS.encode()))
    s3.create_bucket(Bucket="bench")
    s3.put_object(Bucket="bench", Key="model.tar.gz", Body=stream.getvalue())
    container = {
        "Image": IMAGE,
        "ModelDataUrl": "s3://bench/model.tar.gz",
        "Environment": {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"},
    }
    variant = {"VariantName": "main", "ModelName": "bench", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    sagemaker.create_model(ModelName="bench", PrimaryContainer=container, ExecutionRoleArn=ROLE)
    sagemaker.create_endpoint_config(EndpointConfigName="bench", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="bench", EndpointConfigName="bench")
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="bench", WaiterConfig={"Delay": 1})


def _model_port(url: str) -> int:
    """The port in the command line of the model process: the one of this server that has `--port`."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_text().replace("\0", " ")
            ours = f"AWS_ENDPOINT_URL={url}\0" in (folder / "environ").read_text(errors="replace")
        except OSError:
            continue  # it has ended, or is another user's
        found = re.search(r"model_server\S* .*--port (\d+)", command)
        if ours and found and f":{found[1]}" not in url:
            return int(found[1])
    raise SystemExit("The model process was not found in /proc, so it cannot be asked directly.")
