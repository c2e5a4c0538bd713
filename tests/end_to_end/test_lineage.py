"""From a model version back to what it was made of, and from that to the same model again."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from pipelines.definition.revision import git_commit

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
DATA_SHA256 = hashlib.sha256((ROOT / "data" / "house_prices.parquet").read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def shown(cli: Any, first_run: Any) -> dict[str, Any]:
    return dict(cli.json("models", "--show", "1"))


def test_a_version_names_every_link_of_its_chain(cli: Any, shown: dict[str, Any], sagemaker: Any) -> None:
    execution = sagemaker.describe_pipeline_execution(PipelineExecutionArn=shown["execution"])
    assert shown["commit"] == git_commit(ROOT)
    assert shown["pipeline"] == "house-prices-training"
    assert shown["pipeline_version"] == execution["PipelineVersionId"]
    assert shown["code"].endswith(f"/house-prices/code/{shown['code_hash']}/sourcedir.tar.gz")
    assert shown["data"]["sha256"] == DATA_SHA256
    assert shown["data"]["uri"].endswith(f"/{DATA_SHA256[:16]}/house_prices.parquet")
    assert shown["parameters"]["MaxDepth"] == "6"
    assert shown["parameters"]["InputDataUri"] == shown["data"]["uri"]
    assert shown["metrics"]["r2"] > 0.85
    assert shown["image"].endswith("/sagemaker-xgboost:3.2-0")
    definition = sagemaker.describe_pipeline_definition_for_execution(PipelineExecutionArn=shown["execution"])
    text = definition["PipelineDefinition"]
    assert shown["definition_sha256"] == hashlib.sha256(text.encode()).hexdigest()


def test_a_person_reads_the_chain_as_lines(cli: Any, first_run: Any) -> None:
    text = cli.pipeline("models", "--show", "1").stdout
    assert f"sha256 {DATA_SHA256}" in text
    assert "house-prices-training, version " in text
    assert "error: Group house-prices has no version 77" in cli.pipeline("models", "--show", "77", expect=1).stderr


@pytest.mark.journey
def test_a_version_is_rebuilt_from_what_was_recorded_with_the_same_metrics(
    cli: Any, shown: Any, sagemaker: Any
) -> None:
    before = sagemaker.list_model_packages(ModelPackageGroupName="house-prices")["ModelPackageSummaryList"]
    out = cli.pipeline("reproduce", "1").stdout
    commit = shown["commit"].removesuffix("-dirty")
    assert f"git checkout {commit}" in out
    assert "start -p ChampionModelUri=s3://" in out
    assert f" -p EarlierLooks=0 -p InputDataUri={shown['data']['uri']} --wait" in out
    assert "equal to those of the version, digit for digit" in out
    after = sagemaker.list_model_packages(ModelPackageGroupName="house-prices")["ModelPackageSummaryList"]
    assert len(after) == len(before)  # a rebuild registers nothing
    names = [entry["PipelineName"] for entry in sagemaker.list_pipelines()["PipelineSummaries"]]
    assert "house-prices-training-reproduce-1" not in names
