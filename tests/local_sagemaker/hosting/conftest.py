"""A plain folder as object store, and models packed into it, once for each way of making /opt/ml private."""

import io
import shutil
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.hosting.model_process import ModelProcess
from local_sagemaker.processes.images import ImageMap
from local_sagemaker.processes.isolation import Isolation, mounts_work

IMAGE = "1.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:3.2-0"
WAYS: list[Isolation] = ["mount", "rewrite"] if mounts_work() else ["rewrite"]
ECHO = """
import os
def model_fn(model_dir):
    return open(os.path.join(model_dir, "model.txt")).read()
def input_fn(body, content_type):
    return body, content_type
def predict_fn(data, model):
    return f"{model}|{type(data[0]).__name__}|{data[1]}"
def output_fn(prediction, accept):
    return prediction, accept
"""


class FolderStore:
    """bucket/key as folder/file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, uri: str, content: bytes) -> str:
        path = self.folder / uri.removeprefix("s3://")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return uri

    def put_model(self, files: dict[str, str], uri: str = "s3://models/model.tar.gz") -> str:
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w:gz") as tar:
            for name, text in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(text.encode())
                tar.addfile(member, io.BytesIO(text.encode()))
        return self.put(uri, stream.getvalue())

    def list(self, bucket: str, prefix: str) -> list[str]:
        root = self.folder / bucket
        keys = (path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
        return sorted(key for key in keys if key.startswith(prefix))

    def download(self, bucket: str, key: str, path: Path) -> None:
        if not (self.folder / bucket / key).is_file():
            raise LookupError(f"There is no object s3://{bucket}/{key}.")
        shutil.copyfile(self.folder / bucket / key, path)

    def content_type(self, bucket: str, key: str) -> str | None:
        return None

    def upload(self, path: Path, bucket: str, key: str, content_type: str | None = None) -> None:
        self.put(f"s3://{bucket}/{key}", path.read_bytes())


@pytest.fixture(name="store")
def store_fixture(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "s3")


@pytest.fixture(name="container")
def container_fixture(store: FolderStore) -> Callable[..., dict[str, Any]]:
    """A container definition whose model is the given program and the text "m"."""

    def make(program: str = ECHO, text: str = "m", name: str = "model", **changes: Any) -> dict[str, Any]:
        files = {"model.txt": text, "code/handlers/__init__.py": "", "code/handlers/serve.py": program}
        url = store.put_model(files, f"s3://models/{name}.tar.gz")
        environment = {"SAGEMAKER_PROGRAM": "handlers.serve", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}
        return {"Image": IMAGE, "ModelDataUrl": url, "Environment": environment, **changes}

    return make


@pytest.fixture(name="isolation", params=WAYS)
def isolation_fixture(request: pytest.FixtureRequest) -> Isolation:
    return request.param


@pytest.fixture(name="start")
def start_fixture(store: FolderStore, isolation: Isolation, tmp_path: Path) -> Iterator[Callable[..., ModelProcess]]:
    processes: list[ModelProcess] = []

    def start(container: dict[str, Any], timeout_seconds: float = 30) -> ModelProcess:
        environment = {"AWS_ENDPOINT_URL": "http://127.0.0.1:5599"}
        process = ModelProcess("m", container, tmp_path / "hosts", store, ImageMap(), environment, isolation)
        processes.append(process)
        process.start(timeout_seconds)
        return process

    yield start
    for process in processes:
        process.stop()
