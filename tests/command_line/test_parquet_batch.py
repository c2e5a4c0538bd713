"""What `batch` refuses of a folder of Parquet files before anything is sent, and what it tells afterwards."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from command_line.console import Console
from command_line.parquet_batch import _tell, is_folder, parquet_batch
from deployment.errors import DeploymentError
from deployment.parquet_batch import ParquetBatch, Summary
from pipelines.errors import PipelineError

ARN = "arn:aws:sagemaker:us-east-1:111122223333:model-package/houses/1"
DESCRIBED = {
    "ModelPackageArn": ARN,
    "ModelPackageGroupName": "houses",
    "ModelPackageVersion": 1,
    "ModelApprovalStatus": "Approved",
    "CustomerMetadataProperties": {"git_commit": "abc"},
}


class Service:
    """SageMaker with one version, of which nobody knows the execution, and S3 with these objects."""

    def __init__(self, keys: list[str]) -> None:
        self.keys = keys
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return lambda **request: self.calls.append(name)

    def describe_model_package(self, ModelPackageName: str) -> dict[str, Any]:
        return DESCRIBED

    def get_paginator(self, _: str) -> Any:
        return self

    def paginate(self, Bucket: str, Prefix: str) -> list[dict[str, Any]]:
        return [{"Contents": [{"Key": key} for key in self.keys if key.startswith(Prefix)]}]


def refusal(*words: Any, keys: list[str] | None = None, **options: Any) -> str:
    service = Service(keys or [])
    session: Any = SimpleNamespace(
        has_bucket=True,
        local=False,
        settings=SimpleNamespace(name="houses"),
        environment=SimpleNamespace(bucket="bucket"),
        console=Console(),
        client=lambda _: service,
        command=lambda *_: "approve",
    )
    given = {"version": ARN, "stage": None, "instance_count": 1, "instance_type": None, **options}
    with pytest.raises((DeploymentError, PipelineError)) as raised:
        parquet_batch(session, SimpleNamespace(input=str(words[0]), output=str(words[1]), **given))  # type: ignore[arg-type]
    assert not {"create_processing_job", "upload_file"} & set(service.calls)
    return str(raised.value)


@pytest.fixture
def sales(tmp_path: Path) -> Path:
    (tmp_path / "sales").mkdir()
    for name in ("a.parquet", "b.parquet", "_SUCCESS"):
        (tmp_path / "sales" / name).write_bytes(b"PAR1")
    return tmp_path / "sales"


def test_a_folder_is_told_from_a_file(sales: Path) -> None:
    assert is_folder(str(sales))
    assert is_folder("s3://bucket/sales/")
    assert is_folder("s3://bucket/sales.parquet")
    with pytest.raises(DeploymentError, match=r"a\.parquet is one Parquet file: give the folder that holds it\."):
        is_folder(str(sales / "a.parquet"))
    with pytest.raises(DeploymentError, match="There is no file or folder nowhere"):
        is_folder("nowhere")
    (sales / "c.csv").touch()
    assert not is_folder(str(sales / "c.csv"))
    assert not is_folder("s3://bucket/sales.csv")
    assert not is_folder("s3://bucket/sales.JSON")


def test_what_cannot_be_scored_is_refused_before_anything_is_sent(sales: Path, tmp_path: Path) -> None:
    new = tmp_path / "new"
    assert "holds 2 files, and --instance-count is 3: a host scores whole" in refusal(sales, new, instance_count=3)
    assert "--stage keeps the predictions of .csv and .json files only." in refusal(sales, new, stage="staging")
    assert "new.csv must be a folder: each Parquet file gets one" in refusal(sales, tmp_path / "new.csv")
    assert f"The output {sales} holds files already: name a new folder." in refusal(sales, sales)
    (sales / "c.csv").write_text("x")
    assert "c.csv below" in refusal(sales, new)
    (sales / "c.csv").write_text("")
    assert "c.csv is empty" in refusal(sales, new)
    assert not new.exists()


def test_so_it_is_of_prefixes_in_s3() -> None:
    sales = ["sales/a.parquet", "sales/_SUCCESS", "sales/x/b.parquet"]
    assert "holds 2 files, and" in refusal("s3://b/sales/", "s3://b/out/", keys=sales, instance_count=3)
    assert refusal("s3://b/none/", "s3://b/out/", keys=sales) == "There is no Parquet file below s3://b/none/."
    assert "s3://b/sales/x holds files already" in refusal("s3://b/sales/", "s3://b/sales/x", keys=sales)
    assert "does not end in .parquet" in refusal("s3://b/sales/", "s3://b/out/", keys=[*sales, "sales/x.csv"])


def test_a_version_whose_evaluation_is_gone_cannot_be_run(sales: Path, tmp_path: Path) -> None:
    assert "The evaluation of version 1, which says on what its jobs run, is gone" in refusal(sales, tmp_path / "new")


def test_where_no_row_could_be_predicted_that_is_an_error() -> None:
    session: Any = SimpleNamespace(settings=SimpleNamespace(data=SimpleNamespace(target="price")))
    batch: Any = SimpleNamespace(spec=ParquetBatch, package=SimpleNamespace(version=1))
    summary = Summary(rows=7, unpredicted=7, first_fault="a.parquet, row 1, field x: the value is missing")
    with pytest.raises(
        DeploymentError, match=r"^None of the 7 rows could be predicted; out says why in predicted_price_f"
    ):
        _tell(session, batch, summary, "out")
