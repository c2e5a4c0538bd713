"""A batch transform: its exact requests, what is left after it, and how a job that fails is told."""

from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.validate import validate_parameters

from deployment.batch import Batch, BatchRun, new_name
from deployment.batch_table import open_table
from deployment.endpoint import Waiting
from deployment.errors import DeploymentError
from deployment.specification import Hosting
from tests.deployment.test_specification import HOSTING, PACKAGE

BATCH = Batch("houses-batch-v3-1", PACKAGE, HOSTING, "bucket", "houses/batch/houses-batch-v3-1")


UNDONE = ["delete_model", "delete_object", "delete_object"]


class Service:
    """SageMaker and S3 as a batch needs them; the job ends as `status` says after it was seen twice."""

    def __init__(self, status: str = "Completed", answers: str = "1,5.5\n", interrupt: bool = False) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.objects: dict[str, bytes] = {}
        self.status = status
        self.answers = answers
        self.interrupt = interrupt

    def __getattr__(self, name: str) -> Any:
        return lambda **request: self.calls.append((name, request))

    def describe_transform_job(self, TransformJobName: str) -> dict[str, Any]:
        self.calls.append(("describe_transform_job", {}))
        if self.interrupt:
            self.interrupt = False
            raise KeyboardInterrupt
        looks = sum(name == "describe_transform_job" for name, _ in self.calls)
        status = self.status if looks > 1 else "InProgress"
        return {"TransformJobStatus": status, "FailureReason": "ClientError: Row 2, field size: 'x' is no number."}

    def upload_file(self, path: str, bucket: str, key: str) -> None:
        self.objects[key] = Path(path).read_bytes()

    def download_file(self, bucket: str, key: str, path: str) -> None:
        Path(path).write_text(self.answers)

    def names(self) -> list[str]:
        return [name for name, _ in self.calls if name != "describe_transform_job"]


def run(service: Service, folder: Path) -> int:
    (folder / "houses.csv").write_text("id,size\n7,50\n")
    job = BatchRun(service, service, Waiting(0.0), lambda _: None, "jobs/{}/output.log")
    return job.run(BATCH, open_table(folder / "houses.csv"), ["size"], folder / "out.csv", "price")


def test_both_requests_are_as_botocore_has_them() -> None:
    model = botocore.session.get_session().get_service_model("sagemaker")
    machines = Hosting("ml.m5.large", 2, HOSTING.role_arn, "key", ("subnet-1",), ("sg-1",))
    full = Batch(BATCH.name, PACKAGE, machines, "bucket", "prefix")
    for batch in (BATCH, full):
        for operation, request in (("CreateModel", batch.model_request()), ("CreateTransformJob", batch.job_request())):
            validate_parameters(request, model.operation_model(operation).input_shape)
    assert full.job_request()["TransformOutput"]["KmsKeyId"] == "key"
    assert full.job_request()["TransformResources"] == {
        "InstanceType": "ml.m5.large",
        "InstanceCount": 2,
        "VolumeKmsKeyId": "key",
    }


def test_the_number_of_a_row_is_kept_from_the_model_and_joined_with_its_answer() -> None:
    assert BATCH.job_request()["DataProcessing"] == {
        "InputFilter": "$[1:]",
        "JoinSource": "Input",
        "OutputFilter": "$[0,-1]",
    }


def test_names_differ_and_fit() -> None:
    first, second = (new_name("h" * 40, 12345) for _ in range(2))
    assert first != second
    assert len(first) <= 63


def test_rows_get_their_predictions_and_nothing_else_is_left(tmp_path: Path) -> None:
    service = Service()
    assert run(service, tmp_path) == 1
    assert (tmp_path / "out.csv").read_text() == "id,size,predicted_price\n7,50,5.5\n"
    assert service.objects == {f"{BATCH.prefix}/input.csv": b"1,50\n"}
    assert service.names() == ["create_model", "create_transform_job", *UNDONE]
    keys = [request["Key"] for name, request in service.calls if name == "delete_object"]
    assert keys == [f"{BATCH.prefix}/input.csv", f"{BATCH.prefix}/output/input.csv.out"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["houses.csv", "out.csv"]


def test_a_job_that_fails_is_told_with_its_reason_and_its_log_and_is_cleaned_up(tmp_path: Path) -> None:
    service = Service("Failed")
    with pytest.raises(DeploymentError, match=r"is Failed: ClientError: Row 2, field.* Its log: jobs/houses-batch"):
        run(service, tmp_path)
    assert service.names()[-3:] == UNDONE
    assert [path.name for path in tmp_path.iterdir()] == ["houses.csv"]


def test_ctrl_c_stops_the_job_and_cleans_up(tmp_path: Path) -> None:
    service = Service("Stopped", interrupt=True)
    with pytest.raises(KeyboardInterrupt):
        run(service, tmp_path)
    assert service.names()[-4:] == ["stop_transform_job", *UNDONE]
