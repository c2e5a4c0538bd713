"""A training job as the SageMaker SDK starts it: the plane of lesson 3, fitted where the jobs run.

On AWS the same lines start a job on an instance. Where the SDK goes is in the environment alone (AWS_ENDPOINT_URL).
"""

import io
import json
import logging
import tarfile
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lessons.checks import JOB
from lessons.surfaces import Priced, check_features, is_test

ROLE = "arn:aws:iam::000000000000:role/any"  # on AWS, the execution role of the jobs
BUCKET = "learning"
SCRIPT = Path(__file__).resolve().parents[1] / "notebooks" / "linear"


@dataclass(frozen=True)
class Trained:
    """A job that has ended: its name, where its archive lies, and the model.json in it."""

    job: str
    archive: str
    equation: dict[str, Any]


def train(houses: Priced, features: Sequence[str], s3: Any) -> Trained:
    """Start a job with the two parts as its channels, wait for it, and read the model out of its archive."""
    from sagemaker.core import image_uris
    from sagemaker.core.helper.session_helper import Session
    from sagemaker.core.training.configs import Compute, InputData, SourceCode
    from sagemaker.train import ModelTrainer

    check_features(houses, features)
    logging.disable(logging.INFO)  # the SDK tells of each request
    session = Session(default_bucket=BUCKET)
    with tempfile.TemporaryDirectory() as folder:
        channels = _channels(houses, Path(folder))
        trainer = ModelTrainer(
            training_image=image_uris.retrieve("xgboost", session.boto_region_name, version="3.2-0"),
            role=ROLE,
            sagemaker_session=session,
            base_job_name=JOB,
            source_code=SourceCode(source_dir=str(SCRIPT), entry_script="train.py"),
            compute=Compute(instance_type="ml.m5.large", instance_count=1),
            hyperparameters={"features": ",".join(features)},
        )
        inputs = [InputData(channel_name=path.name, data_source=str(path)) for path in channels]
        trainer.train(input_data_config=inputs, logs=False)
    job = trainer._latest_training_job  # noqa: SLF001 - the SDK names its job nowhere else
    archive = job.model_artifacts.s3_model_artifacts
    return Trained(job.training_job_name, archive, _equation(s3, archive))


def _channels(houses: Priced, folder: Path) -> list[Path]:
    """The rows of train and test, a folder with one file each."""
    test = is_test(len(houses.rows))
    places = []
    for name, rows in (("train", houses.rows[~test]), ("test", houses.rows[test])):
        (folder / name).mkdir()
        rows.to_parquet(folder / name / "houses.parquet")
        places.append(folder / name)
    return places


def _equation(s3: Any, archive: str) -> dict[str, Any]:
    bucket, _, key = archive.removeprefix("s3://").partition("/")
    content = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        member = tar.extractfile("model.json")
        equation: dict[str, Any] = json.load(member) if member else {}
    return equation
