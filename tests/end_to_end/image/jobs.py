"""The jobs of an execution once more, in containers of the image, from what local SageMaker's jobs were asked."""

import json
import shutil
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.end_to_end.image.container import Container

FAILURE = "/opt/ml/output/failure"
CHANNELS = "/opt/ml/input/data"
ONE_HOST = {"current_host": "algo-1", "hosts": ["algo-1"], "network_interface_name": "lo"}


@dataclass(frozen=True)
class Ended:
    """What came of a job: its exit code, its log, the reason that it gave, and its container's files."""

    exit_code: int
    log: str
    reason: str
    container: Container

    def packed_model(self, folder: Path) -> Path:
        """A folder with the model.tar.gz that the service makes of /opt/ml/model."""
        target = folder / "packed"
        target.mkdir()
        with tarfile.open(target / "model.tar.gz", "w:gz") as tar:
            tar.add(self.container.path("/opt/ml/model"), ".")
        return target

    def copy_model(self, container: Container) -> None:
        """Give another container the model."""
        shutil.copytree(self.container.path("/opt/ml/model"), container.path("/opt/ml/model"))


@dataclass(frozen=True)
class Inputs:
    """Where inputs come from: objects of local SageMaker, but for the prefixes that a job of the image has made."""

    s3: Any
    made: dict[str, Path]

    def fetch(self, uri: str, target: Path) -> None:
        """Copy an object, or all objects below a prefix, into a folder."""
        for prefix, folder in self.made.items():
            if uri.startswith(prefix):
                shutil.copytree(folder / uri.removeprefix(prefix).lstrip("/"), target, dirs_exist_ok=True)
                return
        target.mkdir(parents=True, exist_ok=True)
        for key, body in objects(self.s3, uri).items():
            path = target / (key or uri.rpartition("/")[2])
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body)


def objects(s3: Any, uri: str) -> dict[str, bytes]:
    """The content of an object, whose key is then empty, or of all objects by their keys below a prefix."""
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    found = s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
    keys = [
        entry["Key"] for entry in found if entry["Key"] == prefix or entry["Key"].startswith(prefix.rstrip("/") + "/")
    ]
    return {key.removeprefix(prefix).lstrip("/"): s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}


def process(container: Container, job: Mapping[str, Any], inputs: Inputs) -> Ended:
    """A processing job, from what DescribeProcessingJob says of it."""
    for given in job["ProcessingInputs"]:
        inputs.fetch(given["S3Input"]["S3Uri"], container.path(given["S3Input"]["LocalPath"]))
    for output in job["ProcessingOutputConfig"]["Outputs"]:
        container.path(output["S3Output"]["LocalPath"]).mkdir(parents=True)
    written = {key: value for key, value in job.items() if key != "ResponseMetadata"}
    _configure(container, "/opt/ml/config", {"processingjobconfig": written, "resourceconfig": ONE_HOST})
    application = job["AppSpecification"]
    command = [*application["ContainerEntrypoint"], *application.get("ContainerArguments", [])]
    installs = any(given["InputName"] == "wheels" for given in job["ProcessingInputs"])
    return _run(container, command, job.get("Environment", {}), "/opt/ml/output/message", installs)


def train(container: Container, job: Mapping[str, Any], inputs: Inputs) -> Ended:
    """A training job, from what DescribeTrainingJob says of it: by its entrypoint, or the toolkit's own `train`."""
    for channel in job["InputDataConfig"]:
        uri = channel["DataSource"]["S3DataSource"]["S3Uri"]
        inputs.fetch(uri, container.path(f"{CHANNELS}/{channel['ChannelName']}"))
    channels = {
        each["ChannelName"]: {
            "TrainingInputMode": "File",
            "S3DistributionType": "FullyReplicated",
            "RecordWrapperType": "None",
        }
        for each in job["InputDataConfig"]
    }
    documents = {"hyperparameters": job["HyperParameters"], "inputdataconfig": channels, "resourceconfig": ONE_HOST}
    _configure(container, "/opt/ml/input/config", documents)
    for folder in ("model", "output/data", "code"):
        container.path(f"/opt/ml/{folder}").mkdir(parents=True)
    entrypoint = job["AlgorithmSpecification"].get("ContainerEntrypoint")
    variables = {"TRAINING_JOB_NAME": job["TrainingJobName"], **job.get("Environment", {})}
    return _run(container, entrypoint or ["train"], variables, FAILURE, installs=not entrypoint)


def unpacked(archive: bytes, folder: Path) -> Path:
    """A model.tar.gz as a folder."""
    folder.mkdir(parents=True)
    path = folder.with_suffix(".tar.gz")
    path.write_bytes(archive)
    with tarfile.open(path) as tar:
        tar.extractall(folder, filter="data")
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    """The bytes of every file below a folder, by path."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def _configure(container: Container, folder: str, documents: Mapping[str, Any]) -> None:
    container.path(folder).mkdir(parents=True)
    for name, document in documents.items():
        container.path(f"{folder}/{name}.json").write_text(json.dumps(document, default=str))


def _run(container: Container, command: list[str], variables: Mapping[str, str], reason: str, installs: bool) -> Ended:
    exit_code, log = container.run(command, variables, installs)
    said = container.path(reason)
    return Ended(exit_code, log, said.read_text() if said.exists() else "", container)
