"""A plain folder as object store, and a job runtime on it, once for each way of making /opt/ml private."""

import shutil
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.jobs.runtime import JobRuntime
from local_sagemaker.processes.images import ImageMap
from local_sagemaker.processes.isolation import Isolation, mounts_work
from local_sagemaker.processes.outcome import Outcome

IMAGE = "public.ecr.aws/docker/library/python:3"
WAYS: list[Isolation] = ["mount", "rewrite"] if mounts_work() else ["rewrite"]


class FolderStore:
    """bucket/key as folder/file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, uri: str, content: bytes | str = b"") -> str:
        path = self.folder / uri.removeprefix("s3://")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return uri

    def get(self, uri: str) -> bytes:
        return (self.folder / uri.removeprefix("s3://")).read_bytes()

    def keys(self, bucket: str = "out") -> list[str]:
        return self.list(bucket, "")

    def list(self, bucket: str, prefix: str) -> list[str]:
        root = self.folder / bucket
        if not root.is_dir():
            raise LookupError(f"There is no bucket {bucket!r}.")
        keys = (path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
        return sorted(key for key in keys if key.startswith(prefix))

    def download(self, bucket: str, key: str, path: Path) -> None:
        if not (self.folder / bucket / key).is_file():
            raise LookupError(f"There is no object s3://{bucket}/{key}.")
        shutil.copyfile(self.folder / bucket / key, path)

    def content_type(self, bucket: str, key: str) -> str | None:
        return None

    def upload(self, path: Path, bucket: str, key: str, content_type: str | None = None) -> None:
        if not (self.folder / bucket).is_dir():
            raise LookupError(f"There is no bucket {bucket!r}.")
        target = self.folder / bucket / key
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)


@dataclass
class Bench:
    """A runtime with its store and the requests of small jobs."""

    store: FolderStore
    runtime: JobRuntime
    folder: Path
    statuses: list[str] = field(default_factory=list)

    def processing(self, script: str, name: str = "job", **changes: Any) -> dict[str, Any]:
        """A request whose job runs a Python script that arrives as an input."""
        code = self.store.put(f"s3://in/{name}/run.py", script)
        inputs = [_s3_input("code", code), *changes.pop("inputs", [])]
        return {
            "ProcessingJobName": name,
            "ProcessingJobArn": f"arn:aws:sagemaker:eu-west-1:000000000000:processing-job/{name}",
            "RoleArn": "arn:aws:iam::000000000000:role/r",
            "ProcessingInputs": inputs,
            "ProcessingOutputConfig": {
                "Outputs": [
                    {
                        "OutputName": "result",
                        "S3Output": {
                            "S3Uri": f"s3://out/{name}/result",
                            "LocalPath": "/opt/ml/processing/output/result",
                            "S3UploadMode": "EndOfJob",
                        },
                    }
                ]
            },
            "AppSpecification": {
                "ImageUri": IMAGE,
                "ContainerEntrypoint": ["python3", "/opt/ml/processing/input/code/run.py"],
            },
            "ProcessingResources": {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large"}},
            **changes,
        }

    def process(self, script: str, **changes: Any) -> Outcome:
        """Run such a job to its end."""
        return self.run(self.processing(script, **changes))

    def run(self, request: dict[str, Any]) -> Outcome:
        """Run a processing job to its end."""
        return self.runtime.run_processing_job(request, threading.Event())

    def log(self, name: str = "job") -> str:
        path = self.runtime.log_path(name)
        return path.read_text() if path.exists() else ""


def _s3_input(name: str, uri: str, **changes: Any) -> dict[str, Any]:
    s3 = {"S3Uri": uri, "LocalPath": f"/opt/ml/processing/input/{name}", "S3DataType": "S3Prefix", **changes}
    return {"InputName": name, "S3Input": {"S3InputMode": "File", **s3}}


@pytest.fixture(name="s3_input")
def s3_input_fixture() -> Callable[..., dict[str, Any]]:
    return _s3_input


@pytest.fixture(name="store")
def store_fixture(tmp_path: Path) -> FolderStore:
    (tmp_path / "s3" / "out").mkdir(parents=True)
    (tmp_path / "s3" / "in").mkdir()
    return FolderStore(tmp_path / "s3")


@pytest.fixture(name="make_bench")
def make_bench_fixture(store: FolderStore, tmp_path: Path) -> Callable[..., Bench]:
    def make(isolation: Isolation | None = None, **options: Any) -> Bench:
        environment = {"AWS_ENDPOINT_URL": "http://127.0.0.1:5599", "AWS_REGION": "eu-west-1"}
        options.setdefault("images", ImageMap({"broken:": "/no/such/python", "other:": sys.executable}))
        images = options.pop("images")
        runtime = JobRuntime(tmp_path / "jobs", store, images, environment, isolation, **options)
        return Bench(store, runtime, tmp_path / "jobs")

    return make


@pytest.fixture(name="bench", params=WAYS)
def bench_fixture(make_bench: Callable[..., Bench], request: pytest.FixtureRequest) -> Bench:
    return make_bench(request.param, grace_seconds=0.5)
