"""`run`: from the data to a model package that waits for approval, and every way in which it can end otherwise."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from tests.end_to_end.conftest import NO_CHAMPION

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
DATA = ROOT / "data" / "house_prices.parquet"
PARTS = ("train", "validation", "test")
STEPS = ["ValidateData", "Preprocess", "Train", "Evaluate", "CheckQuality", "RegisterModel"]


def failed(cli: Any, *arguments: str) -> str:
    """The output of a run whose execution fails."""
    return str(cli.pipeline("run", *NO_CHAMPION, *arguments, expect=3).stdout)


def test_a_run_shows_each_step_and_says_what_came_of_it(first_run: Any) -> None:
    out = first_run.stdout
    for step in STEPS:
        assert re.search(rf"^{step} +Succeeded +\d[\d.]* (s|min)", out, re.MULTILINE), step
    assert re.search(r"arn:aws:sagemaker:us-east-1:000000000000:pipeline/house-prices-training/execution/\w+", out)
    assert re.search(r"xgboost +\$1[01]\d,\d{3} +\$\d\d,\d{3} +1\d\.\d.*% +0\.[89]\d+", out)
    assert re.search(r"linear +\$1[234]\d,\d{3}", out)
    assert "model-package/house-prices/1" in out
    assert "PendingManualApproval" in out
    assert re.search(r"Evaluation report +s3://", out)


def test_the_next_commands_are_printed(first_run: Any) -> None:
    out = first_run.stdout
    assert 'run_pipeline.py --local approve 1 --comment "..."' in out
    assert "deploy_model.py --local deploy --latest-approved --stage staging" in out
    assert "deploy_model.py --local predict --stage staging house.json" in out


def test_the_evaluation_report_lies_where_the_run_says(cli: Any, first_run: Any) -> None:
    files = re.findall(r"(reports/\S+)", first_run.stdout)
    assert {Path(file).name for file in files} >= {"evaluation.json", "evaluation.html"}
    report = json.loads((cli.folder / next(file for file in files if file.endswith(".json"))).read_text())
    assert set(report["regression_metrics"]["rmse"]) == {"value", "standard_deviation"}


def test_the_model_is_as_good_as_promised(cli: Any, first_run: Any) -> None:
    metrics = json.loads(next(cli.folder.glob("reports/*/evaluation.json")).read_text())
    assert metrics["regression_metrics"]["r2"]["value"] >= 0.905
    assert metrics["regression_metrics"]["mape"]["value"] <= 0.112
    assert metrics["comparison"]["rmse_ratio"]["value"] <= 0.95


def test_every_row_is_either_used_or_rejected_with_a_reason(cli: Any, first_run: Any, s3: Any) -> None:
    execution = cli.json("executions")[-1]["id"]
    prefix = f"house-prices/executions/{execution}/"
    bucket = "sagemaker-us-east-1-000000000000"

    def frame(key: str) -> Any:
        path = cli.folder / Path(key).name
        s3.download_file(bucket, prefix + key, str(path))
        return pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)

    rejected = frame("ValidateData/rejected/rejected.csv")
    listed = [s3.list_objects_v2(Bucket=bucket, Prefix=f"{prefix}Preprocess/{part}/") for part in PARTS]
    keys = [entry["Key"].removeprefix(prefix) for page in listed for entry in page["Contents"]]
    assert [Path(key).parent.name for key in keys] == [*["train"] * 4, "validation", "test"]
    assert sum(len(frame(key)) for key in keys) + len(rejected) == 21_613
    assert rejected["reasons"].str.len().min() > 0


def test_the_jobs_and_the_model_carry_the_commit(cli: Any, first_run: Any, sagemaker: Any) -> None:
    package = sagemaker.describe_model_package(
        ModelPackageName="arn:aws:sagemaker:us-east-1:000000000000:model-package/house-prices/1"
    )
    commit = package["CustomerMetadataProperties"]["git_commit"]
    assert re.fullmatch(r"[0-9a-f]{40}(-dirty)?|unknown", commit)
    first = cli.json("describe", cli.json("executions")[-1]["id"])
    train = next(step for step in first["steps"] if step["name"] == "Train")
    tags = sagemaker.list_tags(ResourceArn=train["metadata"]["TrainingJob"]["Arn"])["Tags"]
    assert {"Key": "git-commit", "Value": commit} in tags


def test_an_identical_run_takes_every_job_from_the_cache(cli: Any, first_run: Any) -> None:
    out = cli.pipeline("run", *NO_CHAMPION).stdout
    execution = cli.json("describe", "latest")
    cached = [step["name"] for step in execution["steps"] if step["cache_hit"]]
    assert cached == ["ValidateData", "Preprocess", "Train", "Evaluate"]
    assert re.search(r"model-package/house-prices/\d+ ", out)


def test_a_gate_set_too_high_fails_with_the_numbers_and_the_limits(cli: Any, first_run: Any) -> None:
    out = failed(cli, "-p", "MinR2=0.999")
    assert re.search(r"RejectModel +Failed", out)
    assert re.search(r"R2 is 0\.\d+ \(at least 0\.999\)", out)
    assert "MAPE is" not in out  # only what was missed is named
    assert "RegisterModel" not in out.split("RejectModel")[-1]


@pytest.mark.journey
def test_a_model_that_is_no_better_than_the_champion_is_not_registered(
    cli: Any, first_run: Any, champion_model: str
) -> None:
    out = cli.pipeline("run", "-p", f"ChampionModelUri={champion_model}", expect=3).stdout
    assert re.search(r"RejectModel +Failed", out)
    assert re.search(r"0\.00% lower than the champion's.* is 0 \(more than 0\)", out)
    out = cli.pipeline("run", "-p", f"ChampionModelUri={champion_model}", "-p", "MinImprovement=-0.01").stdout
    assert "RegisterModel" in out


@pytest.fixture
def champion_model(first_run: Any, sagemaker: Any) -> str:
    """The model archive of version 1."""
    arn = "arn:aws:sagemaker:us-east-1:000000000000:model-package/house-prices/1"
    package = sagemaker.describe_model_package(ModelPackageName=arn)
    return str(package["InferenceSpecification"]["Containers"][0]["ModelDataUrl"])


def test_a_job_that_raises_fails_its_step_with_the_reason_and_the_log(cli: Any, first_run: Any) -> None:
    out = failed(cli, "-p", "LearningRate=-1")
    assert re.search(r"Train +Failed", out)
    assert "learning_rate" in out
    log = re.search(r"(/\S+/output\.log)", out)
    assert log is not None
    assert "learning_rate" in Path(log[1]).read_text()
    assert "learning_rate" in cli.pipeline("logs", "latest", "Train").stdout


def houses(tmp_path: Path, **changes: Any) -> Path:
    """Some rows of the data as CSV, with columns changed (a function of the old one) or dropped (None)."""
    frame = pd.read_parquet(DATA).head(1500)
    for name, change in changes.items():
        frame = frame.drop(columns=name) if change is None else frame.assign(**{name: change})
    file = tmp_path / "houses.csv"
    frame.to_csv(file, index=False)
    return file


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"grade": None}, r"grade"),
        ({"colour": "red"}, r"colour"),
        pytest.param({"bedrooms": "many"}, r"bedrooms.*many", marks=pytest.mark.journey),
        ({"price": -1}, r"rejected"),
    ],
    ids=["missing column", "unknown column", "wrong type", "all rows rejected"],
)
def test_bad_data_fails_the_validation_with_one_clear_sentence(
    cli: Any, tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    out = failed(cli, "--data", str(houses(tmp_path, **changes)))
    assert re.search(r"ValidateData +Failed", out)
    assert re.search(words, out)
    assert "Traceback" not in out


def test_a_data_file_without_rows_fails_the_validation(cli: Any, tmp_path: Path) -> None:
    file = tmp_path / "houses.csv"
    file.write_text(houses(tmp_path).read_text().splitlines()[0] + "\n")
    assert re.search(r"ValidateData +Failed.*(no rows|empty)", failed(cli, "--data", str(file)), re.DOTALL)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-p", "MaxDeph=3"], "has no parameter MaxDeph: did you mean MaxDepth"),
        (["-p", "MaxDepth=deep"], "MaxDepth"),
        (["-p", "MaxDepth"], "is not NAME=VALUE"),
        (["--data", "nowhere.csv"], "There is no data file nowhere.csv"),
        (["-p", "ModelApprovalStatus=Approved"], "ModelApprovalStatus cannot be 'Approved': give one of Pending"),
    ],
)
def test_a_wrong_argument_is_refused_before_anything_starts(cli: Any, arguments: list[str], words: str) -> None:
    before = len(cli.json("executions"))
    done = cli.pipeline("run", *arguments, expect=1)
    assert done.stderr.splitlines()[-1].startswith("error: ")
    assert words in done.stderr
    assert len(cli.json("executions")) == before


@pytest.mark.journey
def test_a_split_by_time_trains_a_model_that_holds_later(
    cli: Any, make_cli: Callable[[Any], Any], tmp_path: Path
) -> None:
    document = yaml.safe_load((ROOT / "pipelines" / "house_prices.yaml").read_text())
    document.update(name="later-prices", split="time")
    config = tmp_path / "later.yaml"
    config.write_text(yaml.safe_dump(document, sort_keys=False))
    other = make_cli(cli.server)
    other.pipeline("--config", str(config), "run", "--data", str(DATA))
    metrics = json.loads(next(other.folder.glob("reports/*/evaluation.json")).read_text())
    assert metrics["regression_metrics"]["r2"]["value"] >= 0.89
    assert metrics["regression_metrics"]["mape"]["value"] <= 0.12
    assert metrics["comparison"]["rmse_ratio"]["value"] <= 0.97
    assert metrics["data"]["test_rows"] >= 0.19 * 21_613


def test_another_pipeline_of_the_settings_is_named_on_the_command_line(
    cli: Any, first_run: Any, sagemaker: Any
) -> None:
    out = cli.pipeline("--pipeline", "validation", "run").stdout
    assert re.search(r"^ValidateData +Succeeded", out, re.MULTILINE)
    assert "pipeline/house-prices-validation/execution/" in out
    assert len(cli.json("--pipeline", "validation", "executions")) == 1
    assert "nothing would change" in cli.pipeline("--pipeline", "validation", "plan").stdout


@pytest.mark.journey
def test_of_a_new_month_the_files_that_are_known_are_not_judged_again(
    make_cli: Callable[[Any], Any], server: Any, tmp_path: Path
) -> None:
    document = yaml.safe_load((ROOT / "pipelines" / "house_prices.yaml").read_text())
    document["name"] = "new-months"
    document["jobs"]["processing"]["keep_parts"] = True
    config, sales, other = tmp_path / "months.yaml", tmp_path / "sales", make_cli(server)
    config.write_text(yaml.safe_dump(document, sort_keys=False))
    sales.mkdir()
    rows = pd.read_parquet(DATA)
    logs = []
    for months in (2, 3):
        for month in range(months):
            rows.iloc[600 * month : 600 * (month + 1)].to_parquet(sales / f"month-{month}.parquet")
        done = other.pipeline("--config", str(config), "--pipeline", "validation", "run", "--data", str(sales))
        execution = re.findall(r"execution/(\w+)", done.stdout)[0]
        [log] = Path(server.state).glob(f"jobs/*/pipelines-{execution}-ValidateData-*/output.log")
        logs.append(log.read_text())
    assert "0 of 2 files are known from earlier jobs." in logs[0]
    assert "2 of 3 files are known from earlier jobs." in logs[1]
    assert "1,800 rows: " in logs[1]
