"""Data files: checked before anything starts, uploaded once under their own hash."""

from pathlib import Path
from typing import Any

import pytest

from pipelines.errors import PipelineError
from pipelines.publishing.dataset import check_data, require_data, upload_data
from pipelines.settings.environment import Environment
from pipelines.settings.locations import default_data_uri
from pipelines.settings.settings import default_config, load_settings

SETTINGS = load_settings(default_config())
ENVIRONMENT = Environment.from_env({"SAGEMAKER_BUCKET": "test-bucket"})


def test_a_file_that_cannot_be_data_is_refused_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").touch()
    (tmp_path / "data.xlsx").write_text("x")
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "folder.csv" / "_SUCCESS").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a.csv").write_text("x")
    (tmp_path / "folder" / "notes.docx").write_text("x")
    for name, words in (
        ("missing.csv", r"There is no data file .*missing\.csv: look at its name and place\."),
        ("house_prices.parquet", r"There is no data file .*house_prices\.parquet: `make data` fetches"),
        ("empty.csv", "empty.csv is empty"),
        ("data.xlsx", "data.xlsx is neither CSV nor Parquet by its name: save it as CSV"),
        ("folder.csv", "There is no data file in .*folder.csv: give CSV or Parquet files"),
        ("folder", "folder/notes.docx is neither CSV nor Parquet"),
    ):
        with pytest.raises(PipelineError, match=words):
            check_data(tmp_path / name)


def test_the_same_content_has_the_same_place_and_is_uploaded_once(tmp_path: Path, s3: Any) -> None:
    file = tmp_path / "houses.csv"
    file.write_text("price\n1\n")
    first = upload_data(s3, file, SETTINGS, ENVIRONMENT)
    key = first.removeprefix("s3://test-bucket/")
    written = s3.head_object(Bucket="test-bucket", Key=key)["LastModified"]
    assert upload_data(s3, file, SETTINGS, ENVIRONMENT) == first
    assert s3.head_object(Bucket="test-bucket", Key=key)["LastModified"] == written
    file.write_text("price\n2\n")
    assert upload_data(s3, file, SETTINGS, ENVIRONMENT) != first


def test_a_folder_is_uploaded_with_its_folders_and_without_what_is_hidden(tmp_path: Path, s3: Any) -> None:
    for name in ("sales/year=2014/part-0.csv", "sales/year=2015/part-0.csv", "sales/_SUCCESS", "sales/.part.crc"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"price\n{len(name)}\n{name}\n")
    uri = upload_data(s3, tmp_path / "sales", SETTINGS, ENVIRONMENT)
    assert uri.endswith("/sales/")
    prefix = uri.removeprefix("s3://test-bucket/")
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket="test-bucket", Prefix=prefix)["Contents"]]
    assert [key.removeprefix(prefix) for key in keys] == ["year=2014/part-0.csv", "year=2015/part-0.csv"]
    (tmp_path / "sales/year=2015/part-1.csv").write_text("price\n1\n")
    assert upload_data(s3, tmp_path / "sales", SETTINGS, ENVIRONMENT) != uri


def test_the_default_is_where_the_yamls_own_file_is_uploaded() -> None:
    assert default_data_uri(SETTINGS, ENVIRONMENT) == (
        "s3://test-bucket/house-prices/data/33726fed816d4a88/house_prices.parquet"
    )


def test_a_part_that_is_renamed_is_not_there_twice(tmp_path: Path, s3: Any) -> None:
    sales = tmp_path / "sales"
    sales.mkdir()
    (sales / "a.csv").write_text("price\n1\n")
    (sales / "b.csv").write_text("price\n2\n")
    upload_data(s3, sales, SETTINGS, ENVIRONMENT)
    (sales / "b.csv").rename(sales / "c.csv")
    prefix = upload_data(s3, sales, SETTINGS, ENVIRONMENT).removeprefix("s3://test-bucket/")
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket="test-bucket", Prefix=prefix)["Contents"]]
    assert [key.removeprefix(prefix) for key in keys] == ["a.csv", "c.csv"]


def test_the_progress_of_a_long_upload_is_told(tmp_path: Path, s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        (tmp_path / f"{number}.csv").write_text("x" * 500_000)
    told: list[str] = []
    upload_data(s3, tmp_path, SETTINGS, ENVIRONMENT, told.append)
    assert told == []  # a short one needs no words
    monkeypatch.setattr("pipelines.publishing.dataset.TELL_EVERY", 0.0)
    upload_data(s3, tmp_path, SETTINGS, ENVIRONMENT, told.append)
    assert told[-1].strip().endswith("of 3 files, 2 of 2 MB are in S3")


def test_data_that_an_execution_would_miss_are_said_before_it_starts(s3: Any) -> None:
    parameters = [
        {"Name": "MinR2", "DefaultValue": 0.5},
        {"Name": "InputDataUri", "DefaultValue": "s3://test-bucket/x"},
    ]
    with pytest.raises(PipelineError, match=r"There is no data file at s3://test-bucket/x: give it with --data\."):
        require_data(s3, parameters, "give it with --data")
    require_data(s3, parameters[:1], "nothing to give")
    s3.put_object(Bucket="test-bucket", Key="x", Body=b"1")
    require_data(s3, parameters, "nothing to give")
