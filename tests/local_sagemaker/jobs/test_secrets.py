"""Nothing that the person who starts the server is trusted with reaches a job."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.local_sagemaker.conftest import output, processing

SECRET = "secret-of-the-caller"
POISON = {
    "AWS_ACCESS_KEY_ID": SECRET,
    "AWS_SECRET_ACCESS_KEY": SECRET,
    "AWS_SESSION_TOKEN": SECRET,
    "AWS_PROFILE": SECRET,
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://127.0.0.1/{SECRET}",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": f"/{SECRET}",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN": SECRET,
    "AWS_WEB_IDENTITY_TOKEN_FILE": f"/{SECRET}",
    "AWS_ROLE_ARN": SECRET,
    "GITHUB_TOKEN": SECRET,
    "HF_TOKEN": SECRET,
    "DATABASE_PASSWORD": SECRET,
    "PIP_INDEX_URL": f"https://me:{SECRET}@index.example/simple",
    "PIP_EXTRA_INDEX_URL": f"https://{SECRET}@index.example/simple",
    "UV_INDEX_URL": f"https://me:{SECRET}@index.example/simple",
    "HTTPS_PROXY": f"http://me:{SECRET}@proxy.example:3128",
    "PYTHONPATH": f"/{SECRET}",
}
LOOK = """
import json, os, pathlib, boto3
session = boto3.Session()
credentials = session.get_credentials().get_frozen_credentials()
home = [str(path) for path in pathlib.Path.home().rglob("*")]
parents, pid = [], os.getpid()
while pid > 1 and len(parents) < 2:  # this process and the one that supervises it
    parents.append(pathlib.Path(f"/proc/{pid}/environ").read_text() if os.path.exists("/proc/self/environ") else "")
    pid = int(pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]) if parents[-1] else 1
found = [dict(os.environ), home, parents, list(credentials), session.profile_name, session.region_name]
pathlib.Path("/opt/ml/processing/output/found/found.json").write_text(json.dumps(found))
"""


def test_a_job_sees_no_credential_token_or_home_of_the_caller(
    new_server: Callable[[], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    credentials = tmp_path / "home" / ".aws" / "credentials"
    credentials.parent.mkdir(parents=True)
    credentials.write_text(f"[default]\naws_access_key_id = {SECRET}\naws_secret_access_key = {SECRET}\n")
    server = new_server()
    server.environment = {name: value for name, value in server.environment.items() if name.startswith("SAGEMAKER")}
    with monkeypatch.context() as caller:
        caller.setenv("HOME", str(tmp_path / "home"))
        for name, value in POISON.items():
            caller.setenv(name, value)
        server.up()
    sagemaker, s3 = server.client("sagemaker"), server.client("s3")
    s3.create_bucket(Bucket="found")
    s3.put_object(Bucket="found", Key="code/look.py", Body=LOOK)
    code = {"S3Uri": "s3://found/code/", "LocalPath": "/opt/ml/processing/input/code", "S3DataType": "S3Prefix"}
    job = processing("python3 /opt/ml/processing/input/code/look.py", Environment={"MINE": "given"})
    job["ProcessingInputs"] = [{"InputName": "code", "S3Input": {**code, "S3InputMode": "File"}}]
    job["ProcessingOutputConfig"] = output("found", "s3://found/out")
    sagemaker.create_processing_job(ProcessingJobName="looks", **job)
    deadline = time.monotonic() + 60
    while (described := sagemaker.describe_processing_job(ProcessingJobName="looks"))["ProcessingJobStatus"] not in (
        "Completed",
        "Failed",
    ):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert described["ProcessingJobStatus"] == "Completed", described
    text = s3.get_object(Bucket="found", Key="out/found.json")["Body"].read().decode()
    assert SECRET not in text
    environment, home, _, keys, profile, region = json.loads(text)
    assert environment["MINE"] == "given"
    assert home == []
    assert keys[:2] == ["local:jobs:SageMaker", "local"]  # those of its role, which work nowhere else
    assert (profile, region) == ("default", "us-east-1")
