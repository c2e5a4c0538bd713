"""The whole job on files, with a small model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from monitoring.observe import Inputs, observe
from monitoring.sample import Sample
from steps.failure import JobError
from tests.monitoring.conftest import DATA, SETTINGS, event, houses, write_window

pytestmark = pytest.mark.e2e

JUNE = {"since": "2026-06-01", "days": 30}


def observed(tmp_path: Path, version: Path, sales: pd.DataFrame, **window: Any) -> dict[str, Any]:
    """monitoring.json of a window with these sales."""
    folder = tmp_path / "sales"
    folder.mkdir(exist_ok=True)
    sales.to_parquet(folder / "sales.parquet", index=False)
    inputs = Inputs(version / "model", version / "reference", folder, write_window(tmp_path / "window", **window))
    observe(inputs, tmp_path / "out", SETTINGS)
    document: dict[str, Any] = json.loads((tmp_path / "out" / "monitoring.json").read_text())
    return document


def test_a_quiet_month_is_ok_and_its_report_says_so(tmp_path: Path, version: Path, train: pd.DataFrame) -> None:
    found = observed(tmp_path, version, pd.concat([houses(200, seed=3, **JUNE), train]))
    assert found["decision"] == "ok"
    assert found["backtest"]["rows"] == 200
    page = (tmp_path / "out" / "monitoring.html").read_text()
    assert "Nothing to do" in page
    assert "http" not in page.replace("http-equiv", "")  # nothing is loaded from elsewhere
    assert "Ada Lovelace" not in page + json.dumps(found)
    assert json.loads((tmp_path / "out" / "constraint_violations.json").read_text())["violations"] == []
    quality = json.loads((tmp_path / "out" / "model_quality" / "statistics.json").read_text())
    assert quality["dataset"]["item_count"] == 200


def test_prices_that_rose_call_for_a_retrain_and_say_what_it_would_buy(tmp_path: Path, version: Path) -> None:
    sales = houses(200, seed=3, **JUNE).assign(price=lambda rows: rows["price"] * 1.1)
    found = observed(tmp_path, version, sales)
    assert found["decision"] == "retrain"
    assert "The level moved by -" in found["reasons"][0]
    parts = found["backtest"]["decomposition"]
    assert parts["market"] > 0.01
    assert parts["now"] - parts["before"] == pytest.approx(parts["mix"] + parts["market"] + parts["model"])
    assert parts["model_interval"][0] < parts["model"] < parts["model_interval"][1]
    assert parts["sentence"] in found["notes"]
    violations = json.loads((tmp_path / "out" / "constraint_violations.json").read_text())["violations"]
    assert "level of new sales" in {each["feature_name"] for each in violations}


def test_rows_that_training_has_seen_are_no_new_sales(tmp_path: Path, version: Path, train: pd.DataFrame) -> None:
    found = observed(tmp_path, version, train, since="2025-06-01T00:00:00+00:00", until="2025-07-01T00:00:00+00:00")
    assert found["backtest"] is None
    assert found["decision"] == "not enough data"
    inside = int(((train["sold"] >= "2025-06-01") & (train["sold"] < "2025-07-01")).sum())
    assert f"{inside:,} sales of the window were seen in training, and left out." in found["notes"]


def test_a_window_is_from_its_first_day_to_before_its_last(tmp_path: Path, version: Path) -> None:
    sales = houses(60, seed=5, since="2026-06-01", days=1)
    sales.loc[30:, "sold"] = pd.Timestamp("2026-07-01")
    assert observed(tmp_path, version, sales)["backtest"]["rows"] == 30


def test_a_file_with_another_schema_is_a_finding_and_not_a_failure(tmp_path: Path, version: Path) -> None:
    found = observed(tmp_path, version, houses(200, seed=3, **JUNE).drop(columns="size"))
    assert found["decision"] == "watch"
    assert "lacks size" in found["reasons"][0]


def test_a_file_without_sales_in_the_window_is_said_with_its_dates(tmp_path: Path, version: Path) -> None:
    found = observed(tmp_path, version, houses(60, seed=3, since="2024-01-01", days=30))
    assert found["decision"] == "not enough data"
    assert any("No row of the sales file is dated 2026-06-01 to 2026-07-01" in note for note in found["notes"])


def test_baselines_that_are_gone_are_told_and_all_else_is_looked_at(tmp_path: Path, version: Path) -> None:
    assert not (version / "reference" / "data_quality").exists()
    found = observed(tmp_path, version, houses(200, seed=3, **JUNE))
    assert found["decision"] == "ok"
    assert any("Version 3 has no baselines that can be read" in note for note in found["notes"])
    outcomes = {check["name"]: check["outcome"] for check in found["checks"]}
    assert (outcomes["inputs of new sales"], outcomes["values of new sales"]) == ("ok", "not enough data")


def test_captured_requests_are_watched_and_priced(
    tmp_path: Path, version: Path, reference: Sample, model_identity: str
) -> None:
    lines, prices = [], []
    for number in range(120):
        row = reference.rows.iloc[number]
        values = {"sold": "2026-06-10", "size": row["size"] / 10.764, "quarter": row["quarter"], "x": row["x"]}
        score = float(reference.predicted[number])
        answer = {
            "predictions": [{"score": score, "lower": score * 0.8, "upper": score * 1.2}],
            "model": model_identity,
        }
        lines.append(event(json.dumps(values), json.dumps(answer), event_id=str(number), inference_id=f"h{number}"))
        truth = {"groundTruthData": {"data": str(score * 1.1)}, "eventMetadata": {"eventId": f"h{number}"}}
        prices.append(json.dumps(truth) + "\n")
    window = write_window(tmp_path / "window")
    for name, content in (("capture", lines), ("truth", prices)):
        (window / name).mkdir()
        (window / name / "a.jsonl").write_text("".join(content))
    sales = houses(60, seed=3, since="2024-01-01", days=30)
    found = observed(tmp_path, version, sales, versions={model_identity: 3})
    outcomes = {check["name"]: check["outcome"] for check in found["checks"]}
    assert outcomes["inputs of captured requests"] == "changed"
    assert outcomes["level of served predictions"] == "changed"
    assert found["input_drift"]["features"][0]["name"] == "size"
    assert [(each["version"], each["matured"]) for each in found["cohorts"]] == [("3", 120)]
    assert np.isclose(found["cohorts"][0]["level"], 1 / 1.1 - 1)


def test_a_version_without_keys_is_said_in_one_sentence(tmp_path: Path, version: Path) -> None:
    other = tmp_path / "version"
    (other / "reference").mkdir(parents=True)
    (other / "reference" / "test.parquet").write_bytes((version / "reference/reference/test.parquet").read_bytes())
    inputs = Inputs(version / "model", other, tmp_path / "none", write_window(tmp_path / "window"))
    found = observe(inputs, tmp_path / "out", SETTINGS)
    assert found.decision == "not enough data"
    assert "version 3 was registered without the keys" in found.reasons[0]


def test_a_version_without_a_reference_fails_with_what_to_do(tmp_path: Path, version: Path) -> None:
    inputs = Inputs(version / "model", tmp_path, tmp_path, write_window(tmp_path / "window"))
    with pytest.raises(JobError, match="Version 3 was registered without a reference for monitoring"):
        observe(inputs, tmp_path / "out", SETTINGS)


def test_other_versions_are_scored_on_the_same_sales(tmp_path: Path, version: Path) -> None:
    window = tmp_path / "window" / "other"
    window.mkdir(parents=True)
    (window / "model.tar.gz").write_bytes((version / "model" / "model.tar.gz").read_bytes())
    (window / "broken.tar.gz").write_bytes(b"no archive")
    others = {"2": "other/model.tar.gz", "1": "other/broken.tar.gz"}
    found = observed(tmp_path, version, houses(200, seed=3, **JUNE), others=others)
    assert [each["version"] for each in found["others"]] == ["1", "2"]
    assert "cannot be scored" in found["others"][0]["reason"]
    assert found["others"][1]["statistics"]["mape"] == found["backtest"]["statistics"]["mape"]


def test_no_personal_column_is_read_from_the_sales() -> None:
    from evaluation.reference import monitored

    assert "owner" not in monitored(houses(5, seed=1), DATA)
    assert "key" not in monitored(houses(5, seed=1), DATA)
