"""Small real jobs and pipelines for the tests of local SageMaker."""

import json
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.state.database import Database
from tests.conftest import LocalServer, running

IMAGE = "public.ecr.aws/docker/library/python:3"  # no versions, so no log has the warning of a difference
ROLE = "arn:aws:iam::000000000000:role/jobs"
CLUSTER = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}


def processing(script: str, **fields: Any) -> dict[str, Any]:
    """The arguments of a processing job that runs a shell script."""
    return {
        "AppSpecification": {"ImageUri": IMAGE, "ContainerEntrypoint": ["sh", "-c", script]},
        "ProcessingResources": {"ClusterConfig": CLUSTER},
        "RoleArn": ROLE,
        **fields,
    }


def output(name: str, uri: Any) -> dict[str, Any]:
    """A ProcessingOutputConfig with one output, written under /opt/ml/processing/output/NAME."""
    location = {"S3Uri": uri, "LocalPath": f"/opt/ml/processing/output/{name}", "S3UploadMode": "EndOfJob"}
    return {"Outputs": [{"OutputName": name, "S3Output": location}]}


def step(name: str, step_type: str, arguments: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """One step of a definition."""
    return {"Name": name, "Type": step_type, "Arguments": arguments, **fields}


class Pipelines:
    """Creates pipelines on a server and runs them to their end."""

    def __init__(self, sagemaker: Any) -> None:
        self.sagemaker = sagemaker
        self._count = 0

    def create(self, *steps: dict[str, Any], parameters: list[dict[str, Any]] | None = None) -> str:
        """A new pipeline of these steps; returns its name."""
        self._count += 1
        name = f"pipeline-{time.time_ns()}-{self._count}"
        definition = {"Version": "2020-12-01", "Parameters": parameters or [], "Steps": list(steps)}
        self.sagemaker.create_pipeline(
            PipelineName=name,
            PipelineDefinition=json.dumps(definition),
            RoleArn=ROLE,
            ClientRequestToken="0" * 32,
        )
        return name

    def start(self, name: str, **options: Any) -> str:
        """Start an execution; returns its ARN."""
        return str(self.sagemaker.start_pipeline_execution(PipelineName=name, **options)["PipelineExecutionArn"])

    def finish(self, arn: str, seconds: float = 30) -> dict[str, Any]:
        """The description of an execution once it is over."""
        deadline = time.monotonic() + seconds
        while True:
            execution: dict[str, Any] = self.sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
            if execution["PipelineExecutionStatus"] not in ("Executing", "Stopping"):
                return execution
            assert time.monotonic() < deadline, execution
            time.sleep(0.02)

    def run(self, name: str, **options: Any) -> dict[str, Any]:
        """Start an execution and wait for its end."""
        return self.finish(self.start(name, **options))

    def steps(self, arn: str) -> dict[str, dict[str, Any]]:
        """The steps of an execution by name."""
        found = self.sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)["PipelineExecutionSteps"]
        return {entry["StepName"]: entry for entry in found}


@pytest.fixture(scope="session")
def pipelines(sagemaker: Any) -> Pipelines:
    """Pipelines on the shared server."""
    return Pipelines(sagemaker)


@pytest.fixture
def wait_until() -> Callable[[Callable[[], bool]], None]:
    """Waits for something to become true, 20 s at most."""

    def wait(condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.02)

    return wait


SCALE = 120  # how many times faster waits and alarm periods pass on the server `fast`


@pytest.fixture(scope="module")
def fast(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    """A server on which an hour takes half a minute; it has a bucket."""
    with running(tmp_path_factory.mktemp("fast"), SAGEMAKER_LOCAL_TIME_SCALE=str(SCALE)) as server:
        yield server


@pytest.fixture(scope="module")
def cloudwatch(fast: LocalServer) -> Any:
    """A CloudWatch client of that server."""
    return fast.client("cloudwatch")


FORMAT_1 = Path(__file__).parent / "state/format_1.tar.xz"  # see state/filled.py


@pytest.fixture(name="state")
def state_fixture(tmp_path: Path) -> Path:
    """A state with something of everything, of the present format."""
    state = tmp_path / "state"
    with tarfile.open(FORMAT_1) as tar:
        tar.extractall(state, filter="data")
    Database(state / "state.db").close()
    return state
