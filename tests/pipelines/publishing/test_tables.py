"""The tables of a query on this machine: files in the local S3, and the list by which its handler finds them."""

import json
from pathlib import Path
from typing import Any

import pytest

from pipelines.errors import PipelineError
from pipelines.publishing.tables import publish_tables, tables_key
from pipelines.settings.environment import Environment
from pipelines.settings.query_settings import QuerySettings
from pipelines.settings.settings import default_config, load_settings

SETTINGS = load_settings(default_config())
ENVIRONMENT = Environment.from_env({"SAGEMAKER_BUCKET": "test-bucket"})


def with_tables(**tables: str) -> Any:
    query = QuerySettings(sql="SELECT 1", database="houses", tables=tables)
    return SETTINGS.model_copy(update={"query": query})


def test_files_and_folders_are_uploaded_and_listed_and_a_changed_file_is_found_at_once(tmp_path: Path, s3: Any) -> None:
    (tmp_path / "sales").mkdir()
    (tmp_path / "sales" / "a.csv").write_text("price\n1\n")
    (tmp_path / "zips.csv").write_text("zip\n98103\n")
    settings = with_tables(sales=str(tmp_path / "sales"), zips=str(tmp_path / "zips.csv"))

    def listed() -> dict[str, str]:
        publish_tables(s3, settings, ENVIRONMENT)
        key = tables_key("house-prices", settings.query)
        assert key == "house-prices/tables/AwsDataCatalog/houses.json"
        return dict(json.loads(s3.get_object(Bucket="test-bucket", Key=key)["Body"].read()))

    first = listed()
    assert first["sales"].endswith("/sales/")
    bucket, _, key = first["zips"].removeprefix("s3://").partition("/")
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == b"zip\n98103\n"
    (tmp_path / "zips.csv").write_text("zip\n98104\n")
    assert listed() == {**first, "zips": listed()["zips"]}
    assert listed()["zips"] != first["zips"]


def test_a_query_without_files_here_is_one_sentence_and_so_is_a_file_that_is_not_there(s3: Any) -> None:
    publish_tables(s3, SETTINGS, ENVIRONMENT)  # no query: nothing
    with pytest.raises(PipelineError, match=r"query.tables is missing: .*of houses there, such as"):
        publish_tables(s3, with_tables(), ENVIRONMENT)
    with pytest.raises(PipelineError, match=r"query\.tables\.sales: there is no file or folder nowhere\.parquet"):
        publish_tables(s3, with_tables(sales="nowhere.parquet"), ENVIRONMENT)
