"""The tuner of the SageMaker SDK, directly and as a step, against local SageMaker."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.journey]

PROGRAM = """
import pathlib, boto3
from sagemaker.core.helper.session_helper import Session
from sagemaker.core.parameter import IntegerParameter
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.mlops.workflow.fail_step import FailStep
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import TuningStep
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, OutputDataConfig, SourceCode
from sagemaker.train.tuner import HyperparameterTuner

BUCKET, ROLE = "sdk-tuning", "arn:aws:iam::000000000000:role/any"
boto3.client("s3").create_bucket(Bucket=BUCKET)
pathlib.Path("code").mkdir()
pathlib.Path("code/train.py").write_text('''
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--depth", type=int)
parser.add_argument("--word")
given = parser.parse_args()
assert given.word == "hello"
print(f"loss={abs(given.depth - 3)};")
''')

def tuner(session):
    trainer = ModelTrainer(
        sagemaker_session=session, role=ROLE, base_job_name="tuned",
        training_image="683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.2-0",
        source_code=SourceCode(source_dir="code", entry_script="train.py"), hyperparameters={"word": "hello"},
        compute=Compute(instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=5),
        output_data_config=OutputDataConfig(s3_output_path=f"s3://{BUCKET}/out"))
    return HyperparameterTuner(
        model_trainer=trainer, objective_metric_name="loss", objective_type="Minimize", strategy="Random",
        hyperparameter_ranges={"depth": IntegerParameter(1, 4)}, max_jobs=4, max_parallel_jobs=2,
        metric_definitions=[{"Name": "loss", "Regex": "loss=([0-9]+);"}])

direct = tuner(Session(default_bucket=BUCKET))
direct.tune(wait=True)
best = boto3.client("sagemaker").describe_training_job(TrainingJobName=direct.best_training_job())
print("best", best["HyperParameters"]["depth"])
session = PipelineSession(default_bucket=BUCKET)
step = TuningStep(name="Tune", step_args=tuner(session).tune())
show = FailStep(name="Show", error_message=step.get_top_model_s3_uri(0, BUCKET, "out"), depends_on=[step])
pipeline = Pipeline(name="sdk-tuning", steps=[step, show], sagemaker_session=session)
pipeline.upsert(role_arn=ROLE)
execution = pipeline.start()
try:
    execution.wait(delay=1, max_attempts=60)
except Exception as error:
    assert "Failed" in str(error), error  # the Fail step is there to show its message
steps = {entry["StepName"]: entry for entry in execution.list_steps()}
tuned = steps["Tune"]["Metadata"]["TuningJob"]["Arn"].rpartition("/")[2]
print(steps["Show"]["FailureReason"].replace(tuned, "TUNED"))
"""


def test_the_tuner_works_directly_and_its_best_model_is_known_to_the_next_step(server: Any, tmp_path: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "AWS_ENDPOINT_URL": server.url,
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "any",
        "AWS_DEFAULT_REGION": "us-east-1",
        "SAGEMAKER_VALIDATE_ROLE": "false",
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    said = done.stdout.splitlines()
    assert "best 3" in said
    assert said[-1].startswith("s3://sdk-tuning/out/TUNED-00")
    assert said[-1].endswith("/output/model.tar.gz")
