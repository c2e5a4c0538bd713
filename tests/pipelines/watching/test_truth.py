import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from pipelines.errors import PipelineError
from pipelines.settings.settings import default_config, load_settings
from pipelines.watching.truth import read_prices, store_prices

DATA = load_settings(default_config()).data
NOW = datetime(2026, 11, 20, 10, 5, 6, tzinfo=timezone.utc)


def read(tmp_path: Path, text: str) -> dict[str, float]:
    path = tmp_path / "prices.csv"
    path.write_text(text)
    return read_prices(path, DATA)


def test_prices_are_of_inference_ids(tmp_path: Path) -> None:
    assert read(tmp_path, "inference_id,price\na,450000\nb, 500000.5\n") == {"a": 450000.0, "b": 500000.5}
    assert read(tmp_path, "inference_id , price\na,450000\n") == {"a": 450000.0}


def test_without_them_the_identity_is_the_key(tmp_path: Path) -> None:
    text = "id,date,price\n123,2014-10-13,450000\n7129300520,20141013T000000,1000000\n"
    assert list(read(tmp_path, text)) == ["0000000123-2014-10-13", "7129300520-2014-10-13"]


def test_the_same_price_twice_counts_once(tmp_path: Path) -> None:
    assert read(tmp_path, "inference_id,price\na,450000\na,450000.0\n") == {"a": 450000.0}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("inference_id,price\na,450000\na,460000\n", "row 2: a has another price in a row before"),
        ("inference_id,price\na,450\n", "row 1: a price of 450 is not within 10,000 and 20,000,000 USD"),
        ("inference_id,price\na,nan\n", "row 1: a price of nan is not within"),
        ("inference_id,price\na,many\n", "row 1: 'many' is not a number"),
        ("inference_id,price,unit\na,450000,EUR\n", "row 1: the price is in EUR, and the model's is in USD"),
        ("inference_id,cost\na,450000\n", "lacks the column price: it needs inference_id, or id and date"),
        ("name,price\na,450000\n", "lacks the column id"),
        ("inference_id,price\n,450000\n", "row 1: inference_id is empty"),
        ("inference_id,price\n", "has no rows"),
        ("id,date,price\n1,yesterday,450000\n", "row 1: 'yesterday' is not a date such as"),
        ("inference_id,price\na,1,2\n", "row 1: it has more fields than the header"),
        ("inference_id,price\na,450000\nb,450,000\n", "row 2: it has more fields than the header"),
        ("inference_id,price,price\na,450000,460000\n", "has the column price twice"),
    ],
)
def test_what_cannot_be_a_price_is_said_with_its_row(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(PipelineError, match=said):
        read(tmp_path, text)


def test_of_two_columns_that_are_not_needed_either_may_be_there_twice(tmp_path: Path) -> None:
    assert read(tmp_path, "inference_id,price,note,note\na,450000,x,y\n") == {"a": 450000.0}


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="cannot be read as CSV in UTF-8: No such file"):
        read_prices(tmp_path / "none.csv", DATA)


def test_prices_are_kept_in_the_documented_layout_and_once(s3: Any) -> None:
    stored = store_prices(s3, "bucket", "p/monitoring/truth/production", {"a": 450000.0, "b": 500000.5}, NOW)
    assert stored.uri.startswith("s3://bucket/p/monitoring/truth/production/2026/11/20/10/05-06-")
    key = stored.uri.removeprefix("s3://bucket/")
    lines = s3.get_object(Bucket="bucket", Key=key)["Body"].read().decode().splitlines()
    assert json.loads(lines[1]) == {
        "groundTruthData": {"data": "500000.5", "encoding": "CSV"},
        "eventMetadata": {"eventId": "b"},
        "eventVersion": "0",
    }
    later = NOW.replace(hour=12)
    again = store_prices(s3, "bucket", "p/monitoring/truth/production", {"a": 450000.0, "b": 500000.5}, later)
    assert (again.uri, again.new) == (stored.uri, False)
    assert store_prices(s3, "bucket", "p/monitoring/truth/production", {"a": 450001.0}, later).new


def test_a_price_that_was_corrected_and_is_corrected_back_counts_again(s3: Any) -> None:
    folder, both = "p/monitoring/truth/staging", {"a": 450000.0, "b": 500000.0}
    first = store_prices(s3, "bucket", folder, both, NOW)
    store_prices(s3, "bucket", folder, {"c": 1.0, "b": 500000.0}, NOW.replace(hour=11))
    assert not store_prices(s3, "bucket", folder, both, NOW.replace(hour=12)).new
    store_prices(s3, "bucket", folder, {"a": 460000.0}, NOW.replace(hour=13))
    back = store_prices(s3, "bucket", folder, both, NOW.replace(hour=14))
    assert back.new
    assert back.uri > first.uri
    assert not store_prices(s3, "bucket", folder, both, NOW.replace(hour=15)).new
