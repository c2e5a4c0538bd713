"""The XGBoost image without a script trains by itself, through real processes."""

import io
import json
import tarfile
import threading
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import xgboost

from local_sagemaker.jobs.algorithm import logged_metrics, trains_itself
from local_sagemaker.processes.isolation import mounts_work
from local_sagemaker.processes.outcome import Outcome
from tests.local_sagemaker.job_fixtures import WAYS

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.0-5"
ROWS = "".join(f"{i % 7 + i % 3},{i % 7},{i % 3}\n" for i in range(90))
# What is trained does not depend on how the job has its folder; what is read and written there is tried with each way.
one_way = pytest.mark.parametrize("bench", WAYS[:1], indirect=True)
needs_host_names = pytest.mark.skipif(not mounts_work(), reason="hosts find each other by name in a namespace only")


def channel(name: str, content_type: str = "text/csv", **s3: str) -> dict[str, Any]:
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://in/{name}/", **s3}}
    return {"ChannelName": name, "ContentType": content_type, "DataSource": source}


def train(bench: Any, channels: list[dict[str, Any]], instances: int = 1, name: str = "job", **given: Any) -> Outcome:
    request = {
        "TrainingJobName": name,
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "HyperParameters": {"objective": "reg:squarederror", "num_round": "4", **given.pop("hyperparameters", {})},
        "InputDataConfig": channels,
        "OutputDataConfig": {"S3OutputPath": "s3://out/models/"},
        "ResourceConfig": {"InstanceCount": instances, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        **given,
    }
    outcome: Outcome = bench.runtime.run_training_job(request, threading.Event())
    return outcome


def files_of(bench: Any, uri: str | None) -> dict[str, bytes]:
    assert uri is not None
    with tarfile.open(fileobj=io.BytesIO(bench.store.get(uri))) as tar:
        return {each.name: tar.extractfile(each).read() for each in tar if each.isfile()}  # type: ignore[union-attr]


def test_an_image_trains_by_itself_where_it_has_an_algorithm_and_no_script() -> None:
    assert trains_itself(IMAGE, {"num_round": "1"})
    assert not trains_itself(IMAGE, {"sagemaker_program": "train.py"})
    assert not trains_itself(IMAGE.replace("xgboost", "scikit-learn"), {})
    assert logged_metrics({"TrainingImage": "python:3"}, {}) == []
    own = [{"Name": "mine", "Regex": "x"}]
    assert logged_metrics({"TrainingImage": IMAGE, "MetricDefinitions": own}, {}) == own
    assert "validation:rmse" in {each["Name"] for each in logged_metrics({"TrainingImage": IMAGE}, {})}


@pytest.mark.e2e
def test_csv_becomes_a_model_with_its_metrics(bench: Any) -> None:
    bench.store.put("s3://in/train/a.csv", ROWS)
    bench.store.put("s3://in/validation/a.csv", ROWS)
    given = {"eval_metric": "rmse,mae"}
    outcome = train(bench, [channel("train"), channel("validation")], hyperparameters=given)
    assert outcome.status == "Completed", bench.log()
    lines = [line for line in bench.log().splitlines() if line.startswith("[")]
    assert [line.partition("#011")[0] for line in lines] == ["[0]", "[1]", "[2]", "[3]"]
    assert "#011train-rmse:" in lines[0]
    assert "#011validation-mae:" in lines[0]
    found = {metric.name: metric.value for metric in outcome.metrics}
    assert set(found) == {"train:rmse", "train:mae", "validation:rmse", "validation:mae"}
    assert f"validation-rmse:{found['validation:rmse']:.5f}" in lines[-1]
    booster = xgboost.Booster(model_file=bytearray(files_of(bench, outcome.artifacts)["xgboost-model"]))
    assert (booster.num_boosted_rounds(), booster.num_features()) == (4, 2)


@one_way
@pytest.mark.e2e
def test_other_formats_are_read(bench: Any, tmp_path: Path) -> None:
    bench.store.put("s3://in/train/a", "".join(f"{i % 5} 0:{i % 7} 1:{i % 3}\n" for i in range(50)))
    assert train(bench, [channel("train", "text/libsvm")]).status == "Completed", bench.log()
    pd.DataFrame({"y": range(50), "x": range(50)}).to_parquet(tmp_path / "a.parquet")
    bench.store.put("s3://in/parquet/a.parquet", (tmp_path / "a.parquet").read_bytes())
    parquet = channel("train", "application/x-parquet", S3Uri="s3://in/parquet/")
    assert train(bench, [parquet], name="other").status == "Completed", bench.log("other")


@one_way
@pytest.mark.e2e
def test_a_fault_of_the_user_is_named(bench: Any) -> None:
    bench.store.put("s3://in/train/a.csv", ROWS)
    outcome = train(bench, [channel("train")], hyperparameters={"max_dept": "3"})
    assert outcome.status == "Failed"
    assert "Extraneous hyperparameter found: max_dept; did you mean max_depth?" in str(outcome.failure_reason)
    assert str(outcome.failure_reason).startswith("AlgorithmError: framework error")
    outcome = train(bench, [channel("train")], hyperparameters={"objective": "binary:logistic"})
    assert str(outcome.failure_reason).startswith("AlgorithmError: framework error: \nUserError")


@pytest.mark.e2e
def test_cross_validation_writes_a_model_for_each_fold_and_its_predictions(bench: Any) -> None:
    bench.store.put("s3://in/train/a.csv", ROWS)
    given = {"_kfold": "3", "_num_cv_round": "2", "eval_metric": "rmse"}
    outcome = train(bench, [channel("train")], hyperparameters=given)
    assert outcome.status == "Completed", bench.log()
    assert sorted(files_of(bench, outcome.artifacts)) == [f"xgboost-model-{fold}" for fold in range(6)]
    output = files_of(bench, "s3://out/models/job/output/output.tar.gz")
    assert len(output["predictions.csv"].splitlines()) == 90


@pytest.mark.e2e
def test_a_run_goes_on_from_its_checkpoint(bench: Any) -> None:
    bench.store.put("s3://in/train/a.csv", ROWS)
    checkpoint = {"S3Uri": "s3://out/checkpoints"}
    assert train(bench, [channel("train")], CheckpointConfig=checkpoint).status == "Completed", bench.log()
    assert "checkpoints/xgboost-checkpoint.3" in bench.store.list("out", "")
    more = train(
        bench, [channel("train")], name="more", CheckpointConfig=checkpoint, hyperparameters={"num_round": "6"}
    )
    assert more.status == "Completed", bench.log("more")
    assert "Resuming from iteration 4" in bench.log("more")
    booster = xgboost.Booster(model_file=bytearray(files_of(bench, more.artifacts)["xgboost-model"]))
    assert booster.num_boosted_rounds() == 6


@one_way
@pytest.mark.e2e
def test_early_stopping_keeps_the_best_round(bench: Any) -> None:
    bench.store.put("s3://in/train/a.csv", ROWS)
    bench.store.put("s3://in/validation/a.csv", "1,5,1\n9,1,0\n")
    given = {"num_round": "50", "early_stopping_rounds": "2", "eval_metric": "rmse"}
    outcome = train(bench, [channel("train"), channel("validation")], hyperparameters=given)
    assert outcome.status == "Completed", bench.log()
    booster = xgboost.Booster(model_file=bytearray(files_of(bench, outcome.artifacts)["xgboost-model"]))
    values = [
        float(line.rpartition("validation-rmse:")[2]) for line in bench.log().splitlines() if line.startswith("[")
    ]
    assert len(values) < 50
    assert booster.num_boosted_rounds() == values.index(min(values)) + 1


@pytest.mark.journey
@needs_host_names
@pytest.mark.e2e
def test_two_hosts_train_one_model(make_bench: Any) -> None:
    bench = make_bench("mount")
    for part in range(2):
        bench.store.put(f"s3://in/train/{part}.csv", ROWS)
    sharded = channel("train", S3DataDistributionType="ShardedByS3Key")
    outcome = train(bench, [sharded], instances=2)
    assert outcome.status == "Completed", bench.log()
    assert list(files_of(bench, outcome.artifacts)) == ["xgboost-model"]
    assert "Train matrix has 90 rows" in bench.log()
    lonely = train(bench, [channel("train", S3DataDistributionType="ShardedByS3Key", S3Uri="s3://in/train/0")], 2, "x")
    assert lonely.status == "Completed", bench.log("x")
    log = (bench.folder / "x" / "output-algo-2.log").read_text()
    assert "Host algo-2 not being used for distributed training" in log


@pytest.mark.e2e
def test_the_configuration_file_of_checkpoints_is_that_of_the_contract(bench: Any) -> None:
    bench.store.put("s3://in/train/a.csv", ROWS)
    outcome = train(
        bench,
        [channel("train")],
        CheckpointConfig={"S3Uri": "s3://out/c"},
        AlgorithmSpecification={
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["cat", "/opt/ml/input/config/checkpointconfig.json"],
        },
    )
    assert outcome.status == "Completed", bench.log()
    assert json.loads("{" + bench.log().partition("{")[2].partition("}")[0] + "}")["S3Uri"] == "s3://out/c"
