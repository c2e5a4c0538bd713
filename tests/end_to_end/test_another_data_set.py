"""Another data set is another YAML and no code: rents of flats, from a CSV file to a prediction by LightGBM."""

import io
import json
import re
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

pytestmark = [pytest.mark.e2e, pytest.mark.journey]

ROOT = Path(__file__).parents[2]
ROWS = 3000
SETTINGS = {
    "name": "rents",
    "description": "Monthly rents of flats.",
    "data": {
        "file": "rents.csv",
        "target": "rent",
        "identity": ["contract"],
        "date": "signed",
        "columns": {
            "contract": {"type": "text", "width": 6, "feature": False},
            "signed": {"type": "date"},
            "rent": {"type": "number", "unit": "EUR", "range": [50, 20000]},
            "size": {"type": "number", "unit": "m2", "range": [8, 500]},
            "rooms": {"type": "number", "optional": True},
            "balcony": {"type": "boolean"},
            "district": {"type": "category", "levels": ["north", "south", "harbour"]},
        },
        "derived": {"year_signed": "year(signed)", "size_of_room": "size / rooms"},
        "learned": {
            "rent_of_district": {"kind": "target_encoding", "of": ["district"], "value": "log(rent / size)"},
            "rent_of_similar": {"kind": "neighbours", "of": ["size", "rooms"], "scale": [0.1, 1.0]},
        },
    },
    "validation": {"max_rejected_share": 0.01},
    "split": {"by": "hash", "reserve": 0.15},
    # 600 test rows tell a coverage of 90 % within 3 points, and as many validation rows calibrate it within 3 more.
    "gates": {"min_r2": 0.5, "max_mape": 0.3, "max_rmse_ratio": 2.0, "max_coverage_gap": 0.06},
    "evaluation": {"segments": {"district": {}, "size": {"edges": [40, 80]}}, "min_segment_rows": 50},
}


def rents() -> pd.DataFrame:
    """Generated flats, some without a number of rooms, and three rows that the validation must reject."""
    random = np.random.default_rng(7)
    size = random.uniform(20, 150, ROWS).round(1)
    district = random.choice(["north", "south", "harbour"], ROWS, p=[0.5, 0.3, 0.2])
    signed = pd.Timestamp("2020-01-01") + pd.to_timedelta(random.integers(0, 1500, ROWS), unit="D")
    balcony = random.random(ROWS) < 0.4
    price = 11 + 5 * (district == "harbour") + 1.5 * balcony + (signed.year - 2020) * 0.6
    flats = pd.DataFrame(
        {
            "contract": [f"{number:06d}" for number in range(ROWS)],
            "signed": signed.strftime("%Y-%m-%d"),
            "rent": (size**0.9 * price * random.lognormal(0, 0.08, ROWS)).round(2),
            "size": size,
            "rooms": np.where(random.random(ROWS) < 0.1, np.nan, np.ceil(size / 30)),
            "balcony": balcony,
            "district": district,
        }
    )
    flats.loc[0, "rent"] = -5
    flats.loc[1, "size"] = 4000
    flats.loc[2, "district"] = "moon"
    return flats


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The settings of the rents, with candidates, machines and stages as in the project's own file."""
    own = yaml.safe_load((ROOT / "pipelines" / "house_prices.yaml").read_text())
    folder = tmp_path_factory.mktemp("rents")
    rents().to_csv(folder / "rents.csv", index=False)
    file = folder / "rents.yaml"
    forest = {"estimator": "sklearn.ensemble.RandomForestRegressor", "parameters": {"n_estimators": 20}}
    own["candidates"]["forest"] = forest
    own["candidates"]["lightgbm"] = {}
    own["candidates"]["xgboost"] |= {"max_depth": 1, "learning_rate": 0.0001, "rounds": 300}  # it learns nothing
    file.write_text(yaml.safe_dump({**{name: own[name] for name in ("candidates", "jobs", "stages")}, **SETTINGS}))
    return file


def test_a_data_set_of_another_shape_goes_from_a_file_to_a_prediction(
    cli: Any, config: Path, s3: Any, sagemaker: Any
) -> None:
    chosen = ("--config", str(config))
    out = cli.pipeline(*chosen, "run", "--data", str(config.with_name("rents.csv"))).stdout
    assert "model-package/rents/1" in out
    assert "€" in out or "EUR" in out
    assert "house" not in out
    assert re.search(r"^ *forest +\S*€?[\d.,]+ ", out, re.MULTILINE)  # judged, and not registered
    execution = json.loads(cli.pipeline(*chosen, "executions", "--json").stdout)[0]["id"]
    key = f"rents/executions/{execution}/ValidateData/rejected/rejected.csv"
    s3.download_file("sagemaker-us-east-1-000000000000", key, str(cli.folder / "rejected-rents.csv"))
    rejected = pd.read_csv(cli.folder / "rejected-rents.csv", dtype=str)
    assert sorted(rejected["contract"]) == ["000000", "000001", "000002"]

    cli.pipeline(*chosen, "approve", "1")
    cli.deploy(*chosen, "deploy", "--latest-approved", "--stage", "staging")
    flat = {"signed": "2023-05-01", "size": 60.0, "rooms": 2, "balcony": True, "district": "harbour"}
    for request in (flat, {name: value for name, value in flat.items() if name != "rooms"}):
        file = cli.folder / "flat.json"
        file.write_text(json.dumps(request))
        answer = json.loads(cli.deploy(*chosen, "predict", "--stage", "staging", str(file), "--json").stdout)
        assert 500 < answer["predictions"][0]["score"] < 1200
    _answers_are_those_of_evaluate(cli.server, sagemaker, s3)
    _promote(cli, chosen, sagemaker)


def _answers_are_those_of_evaluate(server: Any, sagemaker: Any, s3: Any) -> None:
    """LightGBM's trees serve from their own text format, and say what they said where they were evaluated."""

    def read(uri: str) -> bytes:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        content: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        return content

    package = sagemaker.describe_model_package(
        ModelPackageName="arn:aws:sagemaker:us-east-1:000000000000:model-package/rents/1"
    )
    (container,) = package["InferenceSpecification"]["Containers"]
    with tarfile.open(fileobj=io.BytesIO(read(container["ModelDataUrl"]))) as kept:
        assert "lightgbm.txt" in kept.getnames()
    evaluated = package["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"]
    golden = json.loads(read(f"{evaluated.rpartition('/')[0]}/golden.json"))
    body = json.dumps({"instances": golden["instances"]})
    told = server.client("sagemaker-runtime").invoke_endpoint(
        EndpointName="rents-staging", ContentType="application/json", Body=body
    )
    scores = [each["score"] for each in json.loads(told["Body"].read())["predictions"]]
    assert scores == golden["predictions"]


def _promote(cli: Any, chosen: tuple[str, ...], sagemaker: Any) -> None:
    """The reserve is scored by the first promotion, once, and what it said stays with the version."""

    def jobs() -> int:
        return len(sagemaker.list_processing_jobs(NameContains="rents-reserve-v1")["ProcessingJobSummaries"])

    assert jobs() == 0
    words = (*chosen, "promote", "--from", "staging", "--to", "production")
    out = cli.deploy(*words).stdout
    found = re.search(
        r"^Reserve of version 1, (\d+) rows that nobody had looked at: RMSE [\d.]+, MAPE", out, re.MULTILINE
    )
    assert found is not None
    assert ROWS * 0.1 < int(found[1]) < ROWS * 0.2
    assert "nothing changed" in cli.deploy(*words).stdout
    assert jobs() == 1
    assert f"Reserve        {found[1]} rows" in cli.pipeline(*chosen, "models", "--show", "1").stdout


def test_with_tuning_the_best_of_several_training_jobs_goes_on(
    cli: Any, make_cli: Any, config: Path, sagemaker: Any
) -> None:
    """A grid of depths, one of them plainly too small: its model must not be the one that is registered."""
    document = yaml.safe_load(config.read_text())
    tuning = {"strategy": "Grid", "ranges": {"max_depth": {"values": [1, 4]}, "rounds": {"values": [2, 200]}}}
    own = yaml.safe_load((ROOT / "pipelines" / "house_prices.yaml").read_text())
    document["candidates"] = own["candidates"]  # LightGBM cannot be tuned
    tuned = config.with_name("tuned.yaml")
    tuned.write_text(yaml.safe_dump({**document, "name": "tuned-rents", "tuning": tuning}))
    other = make_cli(cli.server)
    out = other.pipeline("--config", str(tuned), "run", "--data", str(config.with_name("rents.csv"))).stdout
    assert "model-package/tuned-rents/1" in out
    (winner,) = (line for line in out.splitlines() if line.endswith("  best"))
    assert out.index("Step Train tried (Minimize ") < out.index(winner) < out.index("On the test part:")
    newest = sagemaker.list_hyper_parameter_tuning_jobs(SortBy="CreationTime", SortOrder="Descending", MaxResults=1)
    (job,) = newest["HyperParameterTuningJobSummaries"]
    name = job["HyperParameterTuningJobName"]
    trained = sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    objectives = {
        entry["TrainingJobName"]: entry["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
        for entry in trained["TrainingJobSummaries"]
    }
    assert len(objectives) == 4
    package = sagemaker.describe_model_package(
        ModelPackageName="arn:aws:sagemaker:us-east-1:000000000000:model-package/tuned-rents/1"
    )
    model = package["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
    assert min(objectives, key=lambda name: objectives[name]) in model
    assert winner.startswith(min(objectives, key=lambda name: objectives[name]))
    assert max(objectives, key=lambda name: objectives[name]) not in model
