"""The data as what a query gives: DuckDB answers it on this machine."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
YAML = ROOT / "pipelines" / "house_prices.yaml"
BUCKET = "sagemaker-us-east-1-000000000000"
DATA = ROOT / "data" / "house_prices.parquet"

pytestmark = pytest.mark.e2e


@pytest.fixture
def asking(tmp_path: Path) -> Any:
    """The project's YAML with a query over a table of this folder."""

    def write(sql: str) -> tuple[str, ...]:
        text = YAML.read_text().replace("name: house-prices\n", "name: queried\n", 1)
        text, _, _ = text.partition("\npipelines:")
        query = f"\nquery: {{sql: '{sql}', database: houses, tables: {{sales: {tmp_path / 'sales.parquet'}}}}}\n"
        (tmp_path / "mine.yaml").write_text(f"{text}{query}pipelines: [validation]\n")
        return ("--config", str(tmp_path / "mine.yaml"))

    return write


def test_the_rows_that_a_query_gives_are_validated_and_kept_with_the_execution(
    cli: Any, s3: Any, asking: Any, tmp_path: Path
) -> None:
    sales = pd.read_parquet(DATA).head(3000)
    sales.to_parquet(tmp_path / "sales.parquet", index=False)
    told = cli.pipeline(*asking("SELECT * FROM houses.sales WHERE price < 500000"), "run").stdout
    execution = next(line for line in told.splitlines() if line.startswith("Execution ")).rpartition("/")[2]
    place = f"queried/executions/{execution}/ValidateData"
    report = json.loads(s3.get_object(Bucket=BUCKET, Key=f"{place}/report/validation.json")["Body"].read())
    assert report["rows"]["read"] == (sales.price < 500_000).sum()
    (kept,) = s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{place}/data/")["Contents"]
    assert kept["Key"].rpartition("/")[2] == "part-0"


def test_a_fault_of_the_query_fails_the_step_in_one_sentence(cli: Any, asking: Any, tmp_path: Path) -> None:
    pd.read_parquet(DATA).head(10).to_parquet(tmp_path / "sales.parquet", index=False)
    failed = cli.pipeline(*asking("SELECT * FROM houses.salez"), "run", expect=3).stdout
    assert (
        "Step ValidateData failed: ClientError: The query of the input data failed: QueryFailed: Catalog Error: "
        "Table with name salez does not exist!" in failed
    )
    beside = cli.pipeline(*asking("SELECT 1"), "run", "--data", str(DATA), expect=1).stderr
    assert "The data of this YAML are what its query gives: leave out --data, or the section query." in beside
